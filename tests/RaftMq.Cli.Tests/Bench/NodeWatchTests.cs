using RaftMq.Cli.Bench;
using RaftMq.Cli.Tests.Admin;
using RaftMq.Cli.Tests.Brokers;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Tests.Bench;

/// <summary>What a measurement says of the nodes' disks, and of brokers that have nothing to say.</summary>
public sealed class NodeWatchTests : IAsyncDisposable
{
    private readonly FakeBroker broker = new();
    private readonly FakeNode http = new();
    private readonly KafkaCluster cluster;

    public NodeWatchTests()
    {
        Assert.True(KafkaEndpoint.TryParseList(broker.Bootstrap, out IReadOnlyList<KafkaEndpoint> bootstrap));
        cluster = new KafkaCluster(bootstrap, new KafkaConnectionOptions());
        Did(syncs: 10, bytes: 4096);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await cluster.DisposeAsync();
        await broker.DisposeAsync();
        await http.DisposeAsync();
    }

    [Fact]
    public async Task Node_is_asked_where_its_metrics_are()
    {
        broker.Settings["http.advertised"] = $"127.0.0.1:{http.Port}";
        using NodeWatch watch = await NodeWatch.StartAsync(cluster, admin: null, Cancellation);
        Did(syncs: 17, bytes: 12_288);

        (IReadOnlyList<NodeFigures> figures, IReadOnlyList<string> unknown) = await watch.EndAsync(Cancellation);

        Assert.Equal(new NodeFigures($"127.0.0.1:{http.Port}", 7, 8192), Assert.Single(figures));
        Assert.Empty(unknown);
    }

    [Fact]
    public async Task Broker_of_another_make_is_named_with_a_sentence()
    {
        broker.Settings["num.partitions"] = "1";
        using NodeWatch watch = await NodeWatch.StartAsync(cluster, admin: null, Cancellation);

        (IReadOnlyList<NodeFigures> figures, IReadOnlyList<string> unknown) = await watch.EndAsync(Cancellation);

        Assert.Empty(figures);
        Assert.Equal($"fdatasync and bytes not known: broker 0 at {broker.Bootstrap} is not a RaftMq node", Assert.Single(unknown));
    }

    [Fact]
    public async Task Node_whose_metrics_do_not_come_is_named_with_a_sentence()
    {
        broker.Settings["http.advertised"] = $"127.0.0.1:{http.Port}";
        http.Answers.Clear();
        using NodeWatch watch = await NodeWatch.StartAsync(cluster, admin: null, Cancellation);

        (IReadOnlyList<NodeFigures> figures, IReadOnlyList<string> unknown) = await watch.EndAsync(Cancellation);

        Assert.Empty(figures);
        Assert.StartsWith($"fdatasync and bytes not known: no metrics at 127.0.0.1:{http.Port}", Assert.Single(unknown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_that_are_given_are_not_asked_for()
    {
        using NodeWatch watch = await NodeWatch.StartAsync(cluster, $"127.0.0.1:{http.Port}", Cancellation);
        Did(syncs: 11, bytes: 8192);

        (IReadOnlyList<NodeFigures> figures, _) = await watch.EndAsync(Cancellation);

        Assert.Equal(new NodeFigures($"127.0.0.1:{http.Port}", 1, 4096), Assert.Single(figures));
    }

    private void Did(int syncs, int bytes) => http.Answers["/metrics"] =
        $"raftmq_disk_sync_duration_seconds_count{{lane=\"journal\"}} {syncs}\nraftmq_disk_written_bytes_total{{lane=\"journal\"}} {bytes}\n";
}
