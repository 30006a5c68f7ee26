namespace RaftMq.Kafka.Wire.Compression;

/// <summary>What comes out of compressed bytes: grows as they come, up to a limit.</summary>
internal sealed class OpenedBytes
{
    public const string OverLimit = "more comes out than is allowed";

    private readonly int bytesMax;
    private byte[] buffer;

    public OpenedBytes(int compressedBytes, int bytesMax)
    {
        this.bytesMax = bytesMax;
        buffer = new byte[Math.Min(Math.Max(compressedBytes * 3L, 256), Math.Max(bytesMax, 1))];
    }

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => buffer.AsMemory(0, Length);

    /// <returns>False if so many more bytes are over the limit.</returns>
    public bool TryReserve(int moreBytes)
    {
        if (moreBytes > bytesMax - Length)
        {
            return false;
        }

        if (moreBytes > buffer.Length - Length)
        {
            Array.Resize(ref buffer, (int)Math.Min(bytesMax, Math.Max((long)Length + moreBytes, buffer.Length * 2L)));
        }

        return true;
    }

    /// <summary>Makes what room there may be; empty at the limit.</summary>
    public Span<byte> Room()
    {
        if (Length == buffer.Length)
        {
            TryReserve(Math.Min(bytesMax - Length, 1));
        }

        return buffer.AsSpan(Length);
    }

    public void Advance(int bytes) => Length += bytes;

    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        if (!TryReserve(bytes.Length))
        {
            return false;
        }

        bytes.CopyTo(buffer.AsSpan(Length));
        Length += bytes.Length;
        return true;
    }

    /// <summary>Repeats what was written so far back; source and target may overlap, which repeats a pattern.</summary>
    /// <returns>False if nothing lies so far back, or at the limit.</returns>
    public bool TryRepeat(int distance, int bytes, int lowest)
    {
        if (distance < 1 || distance > Length - lowest || !TryReserve(bytes))
        {
            return false;
        }

        int from = Length - distance;
        if (distance >= bytes)
        {
            buffer.AsSpan(from, bytes).CopyTo(buffer.AsSpan(Length));
        }
        else
        {
            for (int i = 0; i < bytes; i++)
            {
                buffer[Length + i] = buffer[from + i];
            }
        }

        Length += bytes;
        return true;
    }
}
