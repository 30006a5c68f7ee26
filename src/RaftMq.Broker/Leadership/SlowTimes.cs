using RaftMq.Raft;

namespace RaftMq.Broker.Leadership;

/// <summary>
/// For how long nodes' disks were slow, by what each said of its own. A leader whose disk is slow goes to somebody whose disk is clearly faster: where all disks
/// are slow each says so at another moment, and leaders would go round among those that have just not said it.
/// </summary>
internal sealed class SlowTimes
{
    /// <summary>Slow for this part of the other's time at most is clearly faster: chance makes a half of it soon.</summary>
    private const int ClearlyFaster = 4;

    /// <summary>So long without trouble, and it never was: as <see cref="SlowDiskWatch"/> forgives.</summary>
    private const int ForgivenMs = SlowDiskWatch.HoldMsMax;

    private readonly SortedDictionary<NodeId, SlowTime> _times = [];

    private readonly record struct SlowTime(long BeforeMs, long? SinceMs, long UntilMs);

    /// <summary>Whenever a node says it, again and again the same too.</summary>
    public void Learn(NodeId node, bool isSlow, long nowMs)
    {
        _times.TryGetValue(node, out SlowTime time);
        if (isSlow && time.SinceMs is null)
        {
            _times[node] = new SlowTime(Of(node, nowMs), nowMs, nowMs);
        }
        else if (!isSlow && time.SinceMs is not null)
        {
            _times[node] = new SlowTime(Of(node, nowMs), null, nowMs);
        }
    }

    public bool IsClearlyFaster(NodeId node, NodeId than, long nowMs) => ClearlyFaster * Of(node, nowMs) <= Of(than, nowMs);

    /// <summary>In all, in ms.</summary>
    private long Of(NodeId node, long nowMs)
    {
        if (!_times.TryGetValue(node, out SlowTime time))
        {
            return 0;
        }

        return time.SinceMs is { } since ? time.BeforeMs + (nowMs - since) : nowMs - time.UntilMs < ForgivenMs ? time.BeforeMs : 0;
    }
}
