using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Bench;

/// <summary>A producer's connection to one broker. All but the socket under the producer's lock.</summary>
internal sealed class Link(int node, KafkaEndpoint endpoint, BrokerSocket socket)
{
    public int Node { get; } = node;

    public KafkaEndpoint Endpoint { get; } = endpoint;

    public BrokerSocket Socket { get; } = socket;

    public Queue<SentRequest> InFlight { get; } = new();

    /// <summary>One thread sends at a time; who finds it taken leaves the work to that one.</summary>
    public bool Sending { get; set; }

    public bool Broken { get; set; }

    public int NextCorrelation { get; set; }
}
