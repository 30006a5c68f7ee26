namespace RaftMq.Cli.Input;

/// <summary>
/// Bytes in lines, which end with \n and with nothing else: what is before it, a \r too, is the line's as it is. What comes after the last \n
/// is a line where there is any of it. Holds at most one line and one piece of what was read.
/// </summary>
internal sealed class LineReader(Stream input, int lineBytesMax)
{
    private const byte LineFeed = (byte)'\n';
    private const int PieceBytes = 64 * 1024;

    private byte[] buffer = new byte[PieceBytes];

    // What was read and not handed out lies between from and to; up to scanned there is no \n in it.
    private int from;
    private int scanned;
    private int to;
    private bool ended;

    /// <summary>Of the line that the last call came upon, counted from 1.</summary>
    public long Number { get; private set; }

    /// <summary>The line without its \n, until the next call.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    public async ValueTask<LineOutcome> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            int at = buffer.AsSpan(scanned, to - scanned).IndexOf(LineFeed);
            int end = at >= 0 ? scanned + at : to;
            if (end - from > lineBytesMax)
            {
                Number++;
                return LineOutcome.TooLong;
            }

            if (at >= 0 || (ended && end > from))
            {
                Number++;
                Line = buffer.AsMemory(from, end - from);
                from = scanned = Math.Min(end + 1, to);
                return LineOutcome.Line;
            }

            if (ended)
            {
                return LineOutcome.End;
            }

            scanned = to;
            MakeRoom();

            // A read of a terminal or pipe can't be taken back, so it is left behind.
            int read = await input.ReadAsync(buffer.AsMemory(to), cancellation).AsTask().WaitAsync(cancellation);
            ended = read == 0;
            to += read;
        }
    }

    private void MakeRoom()
    {
        int held = to - from;
        byte[] target = buffer.Length - held >= PieceBytes / 2 ? buffer : new byte[Math.Min(buffer.Length * 2L, (long)lineBytesMax + PieceBytes)];
        buffer.AsSpan(from, held).CopyTo(target);
        buffer = target;
        scanned -= from;
        to = held;
        from = 0;
    }
}
