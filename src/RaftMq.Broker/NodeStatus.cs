using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker;

/// <summary>What a node's replicas look like at one moment: for metrics, the admin API and the command line.</summary>
public sealed record NodeStatus(
    NodeId Self, bool IsReady, ImmutableArray<ReplicaStatus> Replicas, ImmutableArray<DamagedGroup> Damaged);

/// <param name="Name">Topic and partition, or <c>controller</c>.</param>
/// <param name="LogStart">First offset consumers may read.</param>
/// <param name="HighWatermark">Offset behind the last committed record.</param>
/// <param name="LogEnd">Offset behind the last record, committed or not.</param>
/// <param name="InSync">Voters in sync as the leader sees it; zero on followers.</param>
/// <param name="Pending">Produces on their way or waiting, on the leader.</param>
/// <param name="SegmentBytes">Bytes in segment files.</param>
public readonly record struct ReplicaStatus(
    GroupId Group, string Name, string? Topic, int Partition, Role Role, int Term, NodeId? Leader, long LogStart,
    long HighWatermark, long LogEnd, int InSync, int Voters, int Pending, long SegmentBytes, bool IsQuiet)
{
    /// <summary>The disk had no room for its segments or checkpoints when they were last tried; a leader refuses produce meanwhile.</summary>
    public bool HasNoRoom { get; init; }
}

/// <summary>A group that must not start on this replica because durable bytes are damaged (DETECTED).</summary>
public sealed record DamagedGroup(GroupId Group, string Name, string Report);
