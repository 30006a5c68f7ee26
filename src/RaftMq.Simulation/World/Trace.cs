using System.Globalization;

namespace RaftMq.Simulation.World;

/// <summary>
/// Everything that happened, as one running hash: two runs of one seed must end with the same. With a writer it also prints each line,
/// which is how a found seed is read.
/// </summary>
internal sealed class Trace(TextWriter? lines)
{
    private const ulong Prime = 0x9E3779B185EBCA87;

    public ulong Hash { get; private set; } = 0x27D4EB2F165667C5;

    public bool IsVerbose => lines is not null;

    public void Add(long atUs, TraceKind kind, long a = 0, long b = 0, long c = 0)
    {
        Mix((ulong)atUs);
        Mix((ulong)kind);
        Mix((ulong)a);
        Mix((ulong)b);
        Mix((ulong)c);
        lines?.WriteLine($"{At(atUs)} {kind} {a} {b} {c}");
    }

    public void Add(long atUs, TraceKind kind, string text)
    {
        Mix((ulong)atUs);
        Mix((ulong)kind);
        foreach (char letter in text)
        {
            Mix(letter);
        }

        lines?.WriteLine($"{At(atUs)} {kind} {text}");
    }

    /// <summary>Bytes that left a node; they count for the hash, and are printed as their length and hash.</summary>
    public void Add(long atUs, TraceKind kind, long a, long b, ReadOnlySpan<byte> bytes) =>
        Add(atUs, kind, a, b, ((long)bytes.Length << 32) | Records.Crc32C.Compute(bytes));

    private static string At(long atUs) => (atUs / 1e6).ToString("F6", CultureInfo.InvariantCulture);

    private void Mix(ulong value)
    {
        ulong mixed = (Hash ^ value) * Prime;
        Hash = mixed ^ (mixed >> 29);
    }
}

internal enum TraceKind
{
    NodeStarted,
    NodeEnded,
    NodeReport,
    FrameSent,
    FrameArrived,
    DiskWork,
    Fault,
    Sent,
    Request,
    Answer,
    Observed,
}
