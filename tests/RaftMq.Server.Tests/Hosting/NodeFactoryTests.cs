using RaftMq.Server.Configuration;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Hosting;

/// <summary>A setting that nobody passes on is one that does nothing.</summary>
public sealed class NodeFactoryTests
{
    [Theory]
    [InlineData("node.id", "7")]
    [InlineData("rack", "here")]
    [InlineData("cluster.initial.nodes", "0@a:1,1@b:1")]
    [InlineData("cluster.seeds", "a:1,b:1")]
    [InlineData("auto.create.topics.enable", "false")]
    [InlineData("num.partitions", "7")]
    [InlineData("default.replication.factor", "5")]
    [InlineData("offsets.topic.num.partitions", "7")]
    [InlineData("replica.lag.max", "7s")]
    [InlineData("leader.balance.delay", "7s")]
    [InlineData("group.initial.rebalance.delay", "7s")]
    [InlineData("offsets.retention", "7m")]
    [InlineData("journal.file.bytes", "7MiB")]
    [InlineData("journal.total.bytes", "7GiB")]
    [InlineData("journal.batch.bytes", "7MiB")]
    [InlineData("disk.free.bytes.low", "7GiB")]
    [InlineData("disk.free.bytes.min", "7MiB")]
    [InlineData("disk.reserve.bytes", "7MiB")]
    [InlineData("limits.record.batch.bytes", "7MiB")]
    [InlineData("limits.uncommitted.bytes.per.group", "7MiB")]
    [InlineData("limits.uncommitted.bytes.per.node", "70MiB")]
    [InlineData("limits.journal.queue.bytes", "7MiB")]
    [InlineData("limits.replication.window.entries", "7")]
    [InlineData("limits.replication.window.bytes", "7MiB")]
    [InlineData("limits.tail.bytes", "70MiB")]
    [InlineData("limits.waiting.produces.per.partition", "7")]
    [InlineData("limits.peer.queue.bytes", "7MiB")]
    [InlineData("limits.recovery.bytes.per.second", "7MiB")]
    [InlineData("limits.scrub.bytes.per.second", "6MiB")]
    [InlineData("scrub.interval", "7h")]
    [InlineData("limits.movements", "7")]
    public void Setting_of_the_node_reaches_it(string key, string value) => Assert.NotEqual(Made(), Made($"--{key}={value}"));

    /// <summary>The others are the process's own: its sockets, threads, files and log.</summary>
    [Fact]
    public void Every_setting_of_the_node_is_looked_at()
    {
        string[] own =
        [
            "data.folder", "listeners", "advertised.listeners", "peers.", "http.", "log.", "tls.", "disk.journal.", "disk.read", "limits.request.", "limits.connection",
            "limits.http.",
        ];
        IEnumerable<string> looked = typeof(NodeFactoryTests).GetMethod(nameof(Setting_of_the_node_reaches_it))!.GetCustomAttributes(inherit: false)
            .OfType<InlineDataAttribute>().Select(data => (string)data.Data[0]!);

        Assert.Equal(
            SettingTable.All.Select(entry => entry.Setting.Key).Where(key => !own.Any(start => key.StartsWith(start, StringComparison.Ordinal))).Order(),
            looked.Order());
    }

    /// <summary>All that the broker is told, as text: its records say what they have.</summary>
    private static string Made(params string[] arguments)
    {
        ServerOptions options = Assert.IsType<ConfigurationResult.Accepted>(
            ConfigurationReader.Read(arguments, new Dictionary<string, string>())).Options;
        var node = NodeFactory.NodeSettings(new NodeContext(options, null!, []));
        return $"{NodeFactory.BrokerOptions(options)} {NodeFactory.JournalOptions(options.Journal)} {node} {string.Join(',', node.InitialNodes)}";
    }
}
