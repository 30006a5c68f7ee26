using RaftMq.Raft;

namespace RaftMq.Storage.Log;

/// <summary>The kinds of entry that the store tells apart. All others are opaque to it. Values are stored: never renumber.</summary>
public static class EntryKinds
{
    /// <summary>One Kafka record batch v2 that consumers receive as it lies.</summary>
    public const EntryKind Data = EntryKind.FirstOfStateMachine;

    /// <summary>How many of the payload's first bytes the entry's own CRC covers.</summary>
    public static int GuardedBytes(EntryKind kind, int payloadBytes) =>
        kind == Data ? EntryLayout.BatchGuardedBytes : payloadBytes;
}
