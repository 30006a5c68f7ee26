namespace RaftMq.Kafka.Wire;

/// <summary>
/// The records of one partition in a produce request or fetch answer: batches behind each other, never copied by the codec. Read, they are a
/// slice of the frame and live as long as it. To be written, they may lie in several pieces, each of which goes out by reference.
/// </summary>
public readonly struct RecordBytes
{
    private readonly ReadOnlyMemory<byte> single;
    private readonly IReadOnlyList<ReadOnlyMemory<byte>>? pieces;

    public RecordBytes(ReadOnlyMemory<byte> bytes)
    {
        single = bytes;
        Length = bytes.Length;
    }

    /// <exception cref="OverflowException">The pieces are more than 2 GiB.</exception>
    public RecordBytes(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        this.pieces = pieces;
        int length = 0;
        for (int i = 0; i < pieces.Count; i++)
        {
            length = checked(length + pieces[i].Length);
        }

        Length = length;
    }

    private RecordBytes(bool isNull)
    {
        IsNull = isNull;
    }

    /// <summary>What a client sent as null. The default value is empty, not null.</summary>
    public static RecordBytes Null { get; } = new(isNull: true);

    public bool IsNull { get; }

    /// <summary>In bytes, over all pieces.</summary>
    public int Length { get; }

    public int PieceCount => pieces?.Count ?? (single.IsEmpty ? 0 : 1);

    /// <summary>The bytes in one: without a copy if they are one piece, which they are when read.</summary>
    public ReadOnlyMemory<byte> Memory => pieces is null ? single : Joined();

    public ReadOnlyMemory<byte> Piece(int index) => pieces is null ? single : pieces[index];

    private ReadOnlyMemory<byte> Joined()
    {
        if (pieces!.Count == 1)
        {
            return pieces[0];
        }

        byte[] joined = new byte[Length];
        int at = 0;
        for (int i = 0; i < pieces.Count; i++)
        {
            pieces[i].CopyTo(joined.AsMemory(at));
            at += pieces[i].Length;
        }

        return joined;
    }
}
