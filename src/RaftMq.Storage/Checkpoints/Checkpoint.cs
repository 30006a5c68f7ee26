using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Checkpoints;

/// <summary>Everything in a checkpoint but the state: what the log knows of the place where the state was frozen.</summary>
/// <param name="LastIndex">The last entry that the state contains.</param>
/// <param name="Membership">In force there, joint included.</param>
/// <param name="LogStartIndex">The first entry the log still held when this was made.</param>
/// <param name="LogStartOffset">The first offset that consumers could read then.</param>
/// <param name="Terms">Ascending; the terms of all entries from the log's start to <paramref name="LastIndex"/>.</param>
public sealed record CheckpointHead(
    GroupId Group,
    LogIndex LastIndex,
    Term LastTerm,
    Membership Membership,
    long NextOffset,
    LogIndex LogStartIndex,
    long LogStartOffset,
    IReadOnlyList<TermStart> Terms);

/// <summary>A state machine at one index, without message bodies (design 4).</summary>
/// <param name="StateVersion">The state machine's own version of <paramref name="State"/>.</param>
/// <param name="State">Opaque to the store.</param>
public sealed record Checkpoint(CheckpointHead Head, int StateVersion, ReadOnlyMemory<byte> State);

public enum CheckpointKind
{
    /// <summary>Start-up replays from here. One at a time.</summary>
    Newest,

    /// <summary>The state just before a segment's first entry: what a follower behind that segment begins with.</summary>
    Base,
}

/// <summary>Is told, inside the section, what became of a checkpoint.</summary>
public interface ICheckpointWaiter
{
    /// <summary>It is durable.</summary>
    void CheckpointWritten(CheckpointHead head);

    /// <summary>There was no room, or an installed snapshot overtook it. The caller makes another one later.</summary>
    void CheckpointDropped(CheckpointHead head);
}
