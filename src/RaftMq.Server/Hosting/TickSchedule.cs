namespace RaftMq.Server.Hosting;

/// <summary>
/// When the node is to be ticked, without a clock of its own: every <see cref="CoarseUs"/>, and every <see cref="FineUs"/> while that is
/// wanted. Ticks that were missed (a stopped process, a machine that slept) are not made up for: a hundred at once would look like a second in
/// which nobody was heard.
/// </summary>
internal sealed class TickSchedule(long nowUs)
{
    public const long CoarseUs = 10_000;

    /// <summary>
    /// The journal is sealed within 5 ms of its last batch: the first tick after the batch comes at once, the one that finds it idle for 2 ms
    /// is the next or the one after.
    /// </summary>
    public const long FineUs = 2_000;

    private long _coarseAtUs = nowUs + CoarseUs;
    private long _fineAtUs = nowUs;

    /// <summary>
    /// How long nothing is to be done; 0 when something is. Rounded up: the system waits for whole milliseconds, and who waited for one too
    /// few would ask again and again until the rest of it is over.
    /// </summary>
    public int UntilNextMs(long nowUs, bool wantsFine)
    {
        long waitUs = (wantsFine ? Math.Min(_fineAtUs, _coarseAtUs) : _coarseAtUs) - nowUs;
        return (int)(Math.Max(0, waitUs + 999) / 1000);
    }

    public TickKind Take(long nowUs, bool wantsFine)
    {
        if (nowUs >= _coarseAtUs)
        {
            _coarseAtUs = Math.Max(_coarseAtUs + CoarseUs, nowUs);
            _fineAtUs = wantsFine ? nowUs + FineUs : nowUs;
            return TickKind.Coarse;
        }

        if (wantsFine && nowUs >= _fineAtUs)
        {
            _fineAtUs = nowUs + FineUs;
            return TickKind.Fine;
        }

        return TickKind.None;
    }
}

internal enum TickKind
{
    /// <summary>Woken too early.</summary>
    None,

    /// <summary>For the journal alone.</summary>
    Fine,

    /// <summary>For the whole node, the journal included.</summary>
    Coarse,
}
