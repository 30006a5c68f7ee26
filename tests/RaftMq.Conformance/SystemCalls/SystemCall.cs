namespace RaftMq.Conformance.SystemCalls;

/// <summary>One system call that strace saw. The clock is the machine's, in microseconds, the same for all processes on it.</summary>
/// <param name="Name">As the kernel calls it: fdatasync, sendmsg.</param>
/// <param name="File">Path of its first argument's file, or <c>socket:[inode]</c>, which is one end of one connection.</param>
/// <param name="Bytes">What was written, sent, received: as much of it as the kernel took or gave.</param>
/// <param name="Result">What it returned; null when the process ended before.</param>
/// <param name="BeganUs">Not later than the moment at which the kernel began with it: strace holds the thread until it has looked at the clock.</param>
/// <param name="EndedUs">Not earlier than the moment at which it was done: strace's next look at the clock.</param>
/// <param name="BeganLine">Line of the trace. Lines of one trace are in the order of what strace saw.</param>
/// <param name="EndedLine">Line with the result.</param>
internal sealed record SystemCall(
    string Name, string File, byte[] Bytes, long? Result, long BeganUs, long EndedUs, int BeganLine, int EndedLine)
{
    public bool IsJournalWrite => Name is "pwrite64" or "pwritev" && Result > 0 && File.Contains("/journal/", StringComparison.Ordinal);

    public bool IsGoodSync => Name == "fdatasync" && Result == 0;

    public bool IsReceive => Name is "recvfrom" or "recvmsg" && Result > 0;

    public bool IsSend => Name is "sendto" or "sendmsg" && Result > 0;
}
