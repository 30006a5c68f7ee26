using System.Globalization;

namespace RaftMq.Cli.LocalCluster;

/// <summary>What <c>raftmq up</c> was asked for.</summary>
internal sealed record LocalClusterOptions(int Nodes, string DataFolder, int? BasePort)
{
    /// <summary>A node begins with journal files of 64 MiB, four before the first is used again, and needs room to write segments.</summary>
    public const long FreeBytesPerNodeMin = 512L << 20;

    public string FolderOf(int node) => Path.Combine(DataFolder, string.Create(CultureInfo.InvariantCulture, $"node-{node}"));

    /// <summary>The server's command line of one node.</summary>
    public IReadOnlyList<string> ArgumentsOf(int node)
    {
        NodePorts ports = NodePorts.Of(node, BasePort);
        string initial = string.Join(
            ',', Enumerable.Range(0, Nodes).Select(n => string.Create(CultureInfo.InvariantCulture, $"{n}@127.0.0.1:{NodePorts.Of(n, BasePort).Peers}")));
        return
        [
            "--node.id", node.ToString(CultureInfo.InvariantCulture),
            "--data.folder", FolderOf(node),
            "--listeners", string.Create(CultureInfo.InvariantCulture, $"kafka://localhost:{ports.Kafka}"),
            "--peers.listen", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ports.Peers}"),
            "--http.listen", string.Create(CultureInfo.InvariantCulture, $"localhost:{ports.Http}"),
            "--cluster.initial.nodes", initial,
        ];
    }
}
