using RaftMq.Cli.LocalCluster;

namespace RaftMq.Cli.Tests.LocalCluster;

public sealed class NodePortsTests
{
    [Fact]
    public void Without_a_base_port_node_0_has_the_known_ones()
    {
        Assert.Equal(new NodePorts(9092, 7070, 8080, 8081), NodePorts.Of(0, basePort: null));
        Assert.Equal(new NodePorts(9094, 7072, 8100, 8101), NodePorts.Of(2, basePort: null));
    }

    [Fact]
    public void With_a_base_port_kinds_stand_100_apart() =>
        Assert.Equal(new NodePorts(30001, 30101, 30201, 30301), NodePorts.Of(1, basePort: 30000));

    [Theory]
    [InlineData(null)]
    [InlineData(20000)]
    public void No_two_nodes_share_a_port(int? basePort)
    {
        int[] ports = [.. Enumerable.Range(0, 7).SelectMany(node => NodePorts.Of(node, basePort).All).Select(port => port.Port)];
        Assert.Equal(ports.Length, ports.Distinct().Count());
    }

    [Fact]
    public void Every_node_is_told_the_same_initial_nodes_and_its_own_folder()
    {
        var options = new LocalClusterOptions(3, "data", 20000);
        string[] lists = [.. Enumerable.Range(0, 3).Select(node => Value(options.ArgumentsOf(node), "--cluster.initial.nodes"))];
        Assert.Equal("0@127.0.0.1:20100,1@127.0.0.1:20101,2@127.0.0.1:20102", Assert.Single(lists.Distinct(StringComparer.Ordinal)));
        Assert.Equal(Path.Combine("data", "node-2"), Value(options.ArgumentsOf(2), "--data.folder"));
        Assert.Equal("kafka://localhost:20002", Value(options.ArgumentsOf(2), "--listeners"));
    }

    private static string Value(IReadOnlyList<string> arguments, string key) => arguments[arguments.ToList().IndexOf(key) + 1];
}
