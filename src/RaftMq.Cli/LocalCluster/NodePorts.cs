namespace RaftMq.Cli.LocalCluster;

/// <summary>The ports of one node on this machine. gRPC is reserved for it and not bound yet.</summary>
internal sealed record NodePorts(int Kafka, int Peers, int Http, int Grpc)
{
    /// <summary>Between the kinds of ports with a base port; also the largest number of nodes.</summary>
    public const int BaseStep = 100;

    public IEnumerable<(string Purpose, int Port)> All =>
        [("Kafka", Kafka), ("peers", Peers), ("HTTP", Http), ("gRPC", Grpc)];

    /// <summary>Node 0 has 9092, 7070, 8080 and 8081. HTTP and gRPC lie side by side and so go on in tens.</summary>
    public static NodePorts Of(int node, int? basePort) => basePort is { } first
        ? new NodePorts(first + node, first + BaseStep + node, first + (2 * BaseStep) + node, first + (3 * BaseStep) + node)
        : new NodePorts(9092 + node, 7070 + node, 8080 + (10 * node), 8081 + (10 * node));
}
