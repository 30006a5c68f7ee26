using System.Globalization;
using System.Text;

namespace RaftMq.Conformance.SystemCalls;

/// <summary>
/// Reads what <c>strace -f -ttt -y -xx</c> writes of one process: <c>thread seconds.micros name(file, …) = result</c>, all text in hex. A
/// call during which another thread's line came in between stands in two lines, "unfinished" and "resumed".
/// </summary>
internal static class SystemCallTrace
{
    /// <summary>Longer pieces are cut by strace; what a test looks for must lie within.</summary>
    public const int PieceBytesMax = 16 * 1024;

    private const string Unfinished = " <unfinished ...>";
    private const string Resumed = " resumed>";

    /// <summary>What the proof needs: writes and flushes of files, sends and receives of sockets.</summary>
    private const string Traced = "fdatasync,pwrite64,pwritev,sendto,sendmsg,recvfrom,recvmsg";

    /// <summary>
    /// The command line in front of a program's own. -D: the program stays the process that was started, strace stands beside it;
    /// --seccomp-bpf: only the traced calls are held up.
    /// </summary>
    public static IReadOnlyList<string> CommandLine(string traceFile) =>
    [
        "strace", "-D", "-f", "--seccomp-bpf", "-ttt", "-y", "-xx", "-s", PieceBytesMax.ToString(CultureInfo.InvariantCulture),
        "-e", "trace=" + Traced, "-e", "signal=none", "-o", traceFile, "--",
    ];

    /// <summary>The process id of the strace that stands beside a process; its trace is whole when it is gone.</summary>
    public static int TracerOf(int process) => int.Parse(
        File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("TracerPid:", StringComparison.Ordinal))["TracerPid:".Length..],
        NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);

    public static IReadOnlyList<SystemCall> Read(IEnumerable<string> lines)
    {
        List<SystemCall> calls = [];
        Dictionary<string, (string Start, long AtUs, int Line)> open = [];
        int openEnd = -1;
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            (string thread, long atUs, string text) = SplitLead(line, number);

            // A call that stands in one line was done before strace looked at the clock again, which is here.
            if (openEnd >= 0)
            {
                calls[openEnd] = calls[openEnd] with { EndedUs = atUs };
                openEnd = -1;
            }

            if (text.EndsWith(Unfinished, StringComparison.Ordinal))
            {
                open[thread] = (text[..^Unfinished.Length], atUs, number);
            }
            else if (text.StartsWith("<... ", StringComparison.Ordinal))
            {
                // Without its beginning it was under way when strace came: of no use.
                if (open.Remove(thread, out (string Start, long AtUs, int Line) begun))
                {
                    string rest = text[(text.IndexOf(Resumed, StringComparison.Ordinal) + Resumed.Length)..];
                    calls.Add(Parse(begun.Start + rest, begun.AtUs, atUs, begun.Line, number));
                }
            }
            else if (!text.StartsWith("+++", StringComparison.Ordinal) && !text.StartsWith("---", StringComparison.Ordinal))
            {
                calls.Add(Parse(text, atUs, long.MaxValue, number, number));
                openEnd = calls.Count - 1;
            }
        }

        return calls;
    }

    private static (string Thread, long AtUs, string Text) SplitLead(string line, int number)
    {
        string[] parts = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        int dot = parts.Length == 3 ? parts[1].IndexOf('.', StringComparison.Ordinal) : -1;
        if (dot < 0 || parts[1].Length - dot - 1 != 6)
        {
            throw new FormatException($"line {number} is not one of strace -f -ttt: {line[..Math.Min(line.Length, 200)]}");
        }

        return (parts[0], long.Parse(parts[1].Remove(dot, 1), NumberStyles.None, CultureInfo.InvariantCulture), parts[2].TrimEnd());
    }

    private static SystemCall Parse(string text, long beganUs, long endedUs, int beganLine, int endedLine)
    {
        int arguments = text.IndexOf('(', StringComparison.Ordinal);
        int end = text.LastIndexOf(") = ", StringComparison.Ordinal);
        if (arguments < 0 || end < arguments)
        {
            throw new FormatException($"line {endedLine} is no call: {text[..Math.Min(text.Length, 200)]}");
        }

        string given = text[(arguments + 1)..end];
        string outcome = text[(end + 4)..].TrimStart().Split(' ')[0];
        long? result = long.TryParse(outcome, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : null;
        byte[] bytes = BytesOf(given);
        return new SystemCall(
            text[..arguments], FileOf(given), result >= 0 && result < bytes.Length ? bytes[..(int)result] : bytes, result, beganUs, endedUs,
            beganLine, endedLine);
    }

    /// <summary>"31&lt;\x2f\x74…&gt;, …": what stands for the file behind its number.</summary>
    private static string FileOf(string arguments)
    {
        int from = arguments.IndexOf('<', StringComparison.Ordinal);
        int to = arguments.IndexOf('>', StringComparison.Ordinal);
        if (from < 0 || to < from || !arguments.AsSpan(0, from).TrimStart("0123456789").IsEmpty)
        {
            return "";
        }

        string text = arguments[(from + 1)..to];
        return text.StartsWith("\\x", StringComparison.Ordinal) ? Encoding.UTF8.GetString(FromHex(text)) : text;
    }

    /// <summary>All texts in quotes, one behind the other: the pieces of a gathered call.</summary>
    private static byte[] BytesOf(string arguments)
    {
        List<byte> all = [];
        int at = 0;
        while ((at = arguments.IndexOf('"', at)) >= 0)
        {
            int to = arguments.IndexOf('"', at + 1);
            all.AddRange(FromHex(arguments.AsSpan(at + 1, to - at - 1)));
            at = to + 1;
        }

        return [.. all];
    }

    private static byte[] FromHex(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[text.Length / 4];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = byte.Parse(text.Slice((4 * i) + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        }

        return bytes;
    }
}
