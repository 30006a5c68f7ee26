using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Bench;

/// <summary>
/// Who leads the partitions of the measured topic. Asked again, at most every 20 ms, as long as somebody says that it is wrong: a leader
/// that was killed is replaced within a fraction of a second, and the measure must not add to that.
/// </summary>
internal sealed class LeaderWatch : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TimeoutCheck = TimeSpan.FromMilliseconds(100);

    private readonly string topic;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim asked = new(0);
    private readonly List<KafkaEndpoint> bootstrap;
    private readonly KafkaConnectionOptions options = new() { ClientId = "raftmq-bench", ConnectTimeout = AnswerTime };
    private KafkaCluster cluster;
    private volatile ClusterView view;
    private Task running = Task.CompletedTask;

    private LeaderWatch(string topic, IReadOnlyList<KafkaEndpoint> bootstrap, KafkaCluster cluster, ClusterView view)
    {
        this.topic = topic;
        this.bootstrap = [.. bootstrap];
        this.cluster = cluster;
        this.view = view;
    }

    /// <summary>A fresh answer is there.</summary>
    public event Action? Refreshed;

    /// <summary>About ten times a second.</summary>
    public event Action? Ticked;

    /// <summary>Waits until every partition has a leader.</summary>
    public static async Task<LeaderWatch> StartAsync(
        IReadOnlyList<KafkaEndpoint> bootstrap, string topic, int partitions, CancellationToken cancellation)
    {
        var cluster = new KafkaCluster(bootstrap, new KafkaConnectionOptions { ClientId = "raftmq-bench" });
        ClusterView view = await cluster.RefreshAsync([topic], cancellation);
        while (!Enumerable.Range(0, partitions).All(partition => view.TryFindLeader(topic, partition, out _)))
        {
            await Task.Delay(Pause, cancellation);
            view = await cluster.RefreshAsync([topic], cancellation);
        }

        var watch = new LeaderWatch(topic, bootstrap, cluster, view);
        watch.running = watch.RunAsync();
        return watch;
    }

    /// <summary>What is known now; the leader may be another by now.</summary>
    public bool TryFind(int partition, out int node, out KafkaEndpoint endpoint)
    {
        ClusterView current = view;
        endpoint = default;
        return current.TryFindLeader(topic, partition, out node) && current.Brokers.TryGetValue(node, out endpoint);
    }

    /// <summary>What is known is wrong for some partition.</summary>
    public void Ask() => asked.Release();

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        await cluster.DisposeAsync();
        stopping.Dispose();
        asked.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                bool wanted = await asked.WaitAsync(TimeoutCheck, stopping.Token);
                if (wanted)
                {
                    await RefreshAsync();
                    await Task.Delay(Pause, stopping.Token);
                    Refreshed?.Invoke();
                }

                Ticked?.Invoke();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The end of the run.
        }
    }

    private async Task RefreshAsync()
    {
        while (asked.CurrentCount > 0 && await asked.WaitAsync(TimeSpan.Zero, stopping.Token))
        {
            // One answer is for all who asked so far.
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        limit.CancelAfter(AnswerTime);
        try
        {
            view = await cluster.RefreshAsync([topic], limit.Token);
        }
        catch (Exception wrong) when (!stopping.IsCancellationRequested && wrong is (IOException or OperationCanceledException))
        {
            // The broker asked is down or silent: begin with another one.
            await cluster.DisposeAsync();
            bootstrap.Add(bootstrap[0]);
            bootstrap.RemoveAt(0);
            cluster = new KafkaCluster([.. bootstrap.Concat(view.Brokers.Values).Distinct()], options);
        }
    }
}
