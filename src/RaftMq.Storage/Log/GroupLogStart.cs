using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Log;

/// <summary>What recovery found of a group. The tail begins behind the last entry that lies in a segment.</summary>
internal sealed record GroupLogStart(
    LogIndex BaseIndex,
    Term BaseTerm,
    long LogStartOffset,
    LogIndex Applied,
    TailStart Tail,
    TermTable Terms,
    IReadOnlyList<Segment> Segments,
    LogIndex SyncedUpTo,
    IReadOnlyList<BaseCheckpoint> Bases,
    LogIndex? Newest);
