namespace RaftMq.Cli.Brokers;

/// <param name="Committed">The next offset the group reads.</param>
/// <param name="Lag">Records behind the end; null where the end is not known.</param>
internal sealed record GroupPosition(string Topic, int Partition, long Committed, long? End, long? Lag);
