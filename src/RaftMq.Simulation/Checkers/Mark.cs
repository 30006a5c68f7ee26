using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// A number that occurs once in a run and is written, as 24 letters, into everything a client asks the cluster to keep: record values,
/// offset metadata, topic names. Whoever finds it, on a disk, on the wire or in an answer, knows what it sees.
/// </summary>
public readonly record struct Mark(ulong Value) : IComparable<Mark>
{
    public const int LengthBytes = 24;

    /// <summary>Legal in a topic's name.</summary>
    private static ReadOnlySpan<byte> Start => "RmqSim_-"u8;

    public int CompareTo(Mark other) => Value.CompareTo(other.Value);

    public override string ToString() => Encoding.ASCII.GetString(Start) + Value.ToString("x16", CultureInfo.InvariantCulture);

    public void Write(Span<byte> bytes)
    {
        Start.CopyTo(bytes);
        _ = Utf8Formatter.TryFormat(Value, bytes[Start.Length..], out _, new('x', 16));
    }

    /// <summary>The first mark in the bytes, and where it starts; false when there is none that is whole.</summary>
    public static bool TryFind(ReadOnlySpan<byte> bytes, out Mark mark, out int at)
    {
        at = 0;
        while (true)
        {
            int found = bytes[at..].IndexOf(Start);
            if (found < 0 || bytes.Length - at - found < LengthBytes)
            {
                mark = default;
                return false;
            }

            at += found;
            if (Utf8Parser.TryParse(bytes.Slice(at + Start.Length, 16), out ulong value, out int read, 'x') && read == 16)
            {
                mark = new Mark(value);
                return true;
            }

            at += Start.Length;
        }
    }
}
