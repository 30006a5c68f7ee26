using System.Diagnostics;
using RaftMq.Broker;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Telemetry;

/// <summary>Asks the node once a second how its replicas are, for metrics and for the rate of messages. Owned by the process.</summary>
internal sealed class StatusSampler : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly INode _node;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private volatile NodeStatus? _last;
    private double _messagesPerSecond;

    public StatusSampler(INode node)
    {
        _node = node;
        _loop = Task.Run(() => RunAsync(_stop.Token));
    }

    /// <summary>At most a second old; null before the first.</summary>
    public NodeStatus? Last => _last;

    /// <summary>Records per second that became visible in the partitions this node leads, over the last period.</summary>
    public double MessagesPerSecond => Volatile.Read(ref _messagesPerSecond);

    public async Task<NodeStatus> CollectAsync(CancellationToken cancellation)
    {
        var collected = new TaskCompletionSource<NodeStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        _node.CollectStatus(collected.SetResult);
        return await collected.Task.WaitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
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

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            using var timer = new PeriodicTimer(Period);
            long at = Stopwatch.GetTimestamp();
            do
            {
                NodeStatus status = await CollectAsync(stop);
                long now = Stopwatch.GetTimestamp();
                if (_last is { } before)
                {
                    Volatile.Write(ref _messagesPerSecond, Progress(before, status) / Stopwatch.GetElapsedTime(at, now).TotalSeconds);
                }

                _last = status;
                at = now;
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }
}
