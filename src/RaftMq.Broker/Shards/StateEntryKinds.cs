using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>The kinds of entry that the broker's state machines know, besides record batches. Values are stored: never renumber.</summary>
internal static class StateEntryKinds
{
    /// <summary>A partition's new log start: i64 offset.</summary>
    public const EntryKind LogStart = EntryKind.FirstOfStateMachine + 1;

    /// <summary>A command of the controller group.</summary>
    public const EntryKind Cluster = EntryKind.FirstOfStateMachine + 2;

    /// <summary>An entry of the consumer groups' partitions.</summary>
    public const EntryKind ConsumerGroups = EntryKind.FirstOfStateMachine + 3;
}
