namespace RaftMq.Kafka.Wire.Client;

/// <summary>What one metadata answer said. Swapped whole.</summary>
public sealed class ClusterView
{
    private readonly Dictionary<int, KafkaEndpoint> brokers;
    private readonly Dictionary<(string Topic, int Partition), int> leaders;

    internal ClusterView(
        int controllerId,
        Dictionary<int, KafkaEndpoint> brokers,
        Dictionary<string, int> partitionCounts,
        Dictionary<(string Topic, int Partition), int> leaders)
    {
        ControllerId = controllerId;
        this.brokers = brokers;
        PartitionCounts = partitionCounts;
        this.leaders = leaders;
    }

    /// <summary>-1 while there is none.</summary>
    public int ControllerId { get; }

    public IReadOnlyDictionary<int, KafkaEndpoint> Brokers => brokers;

    /// <summary>By topic, of the topics asked for.</summary>
    public IReadOnlyDictionary<string, int> PartitionCounts { get; }

    /// <returns>False for an unknown partition, and for one that has no leader now.</returns>
    public bool TryFindLeader(string topic, int partition, out int nodeId) =>
        leaders.TryGetValue((topic, partition), out nodeId) && nodeId >= 0;
}
