using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker.Movement;

/// <summary>A movement under way, as the partition's leader sees it.</summary>
/// <param name="To">The wanted replicas.</param>
/// <param name="Leaving">Those that go once it is done.</param>
/// <param name="Learners">Those that still catch up.</param>
public sealed record MovementStatus(
    GroupId Group, string Topic, int Partition, ImmutableArray<NodeId> To, ImmutableArray<NodeId> Leaving, MovementPhase Phase,
    ImmutableArray<LearnerStatus> Learners);

/// <param name="EntriesLeft">What it lacks of the leader's log.</param>
/// <param name="BytesLeft">About as many, by the mean size of what is in segments.</param>
public readonly record struct LearnerStatus(NodeId Node, long EntriesLeft, long BytesLeft);

public enum MovementPhase
{
    /// <summary>Others are moved first (`limits.movements`).</summary>
    Waiting,

    /// <summary>New replicas get the log.</summary>
    CatchingUp,

    /// <summary>The group's members change.</summary>
    Changing,

    /// <summary>The group is where it should be; the controller writes that down.</summary>
    Ending,
}
