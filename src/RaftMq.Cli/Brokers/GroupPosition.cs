namespace RaftMq.Cli.Brokers;

/// <param name="Committed">The next offset the group reads; null where a member has the partition and nothing was committed yet.</param>
/// <param name="Lag">Records behind the end; null where the end is not known or nothing was committed.</param>
internal sealed record GroupPosition(string Topic, int Partition, long? Committed, long? End, long? Lag);
