using System.Diagnostics;
using RaftMq.Broker;

namespace RaftMq.Server.Telemetry;

/// <summary>
/// How the node's replicas are, for metrics, health and the admin API. The node is asked when somebody looks: with thousands of idle
/// partitions the asking is what would cost. Safe to use from any thread.
/// </summary>
/// <param name="collect">Asks the node; the answer may come on any thread.</param>
internal sealed class StatusSampler(Action<Action<NodeStatus>> collect)
{
    /// <summary>The shortest time over which a rate is counted.</summary>
    private static readonly TimeSpan RateTimeMin = TimeSpan.FromMilliseconds(500);

    private readonly Lock _keeping = new();
    private volatile NodeStatus? _last;
    private NodeStatus? _rateBase;
    private long _rateBaseAt;
    private double _messagesPerSecond;

    /// <summary>A node that does not answer for so long is shown as it was.</summary>
    public TimeSpan AnswerTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What the last look found; null before the first.</summary>
    public NodeStatus? Last => _last;

    /// <summary>Records per second that became visible in the partitions this node leads, between the last two looks (half a second apart or more).</summary>
    public double MessagesPerSecond => Volatile.Read(ref _messagesPerSecond);

    /// <summary>As it is now.</summary>
    public async Task<NodeStatus> CollectAsync(CancellationToken cancellation)
    {
        var collected = new TaskCompletionSource<NodeStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        collect(collected.SetResult);
        NodeStatus status = await collected.Task.WaitAsync(cancellation);
        Keep(status);
        return status;
    }

    /// <summary>As it is now; as it was at the last look, if the node does not answer in time.</summary>
    public async Task<NodeStatus?> LookAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerTime);
        try
        {
            return await CollectAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return _last;
        }
    }

    /// <summary>Records that a status shows and an earlier one did not, in partitions led both times.</summary>
    internal static long Progress(NodeStatus before, NodeStatus after)
    {
        Dictionary<Raft.GroupId, long> earlier = [];
        foreach (ReplicaStatus replica in before.Replicas)
        {
            if (replica.Role == Raft.Role.Leader && replica.Topic is not null)
            {
                earlier[replica.Group] = replica.HighWatermark;
            }
        }

        long records = 0;
        foreach (ReplicaStatus replica in after.Replicas)
        {
            if (replica.Role == Raft.Role.Leader && earlier.TryGetValue(replica.Group, out long highWatermark))
            {
                records += Math.Max(0, replica.HighWatermark - highWatermark);
            }
        }

        return records;
    }

    private void Keep(NodeStatus status)
    {
        lock (_keeping)
        {
            long now = Stopwatch.GetTimestamp();
            TimeSpan since = Stopwatch.GetElapsedTime(_rateBaseAt, now);
            if (_rateBase is null || since >= RateTimeMin)
            {
                Volatile.Write(ref _messagesPerSecond, _rateBase is null ? 0 : Progress(_rateBase, status) / since.TotalSeconds);
                (_rateBase, _rateBaseAt) = (status, now);
            }

            _last = status;
        }
    }
}
