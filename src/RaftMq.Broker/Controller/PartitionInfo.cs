using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// Where a partition is and where it should be. A movement's life: 1. the controller writes down the wanted set, with a new
/// <see cref="Epoch"/>; 2. the group's leader brings the group's membership there, step by step; 3. it tells the controller, and what left
/// may be deleted. Another movement may take the place of one under way.
/// </summary>
/// <param name="Replicas">The wanted set. The first is the preferred leader.</param>
public sealed record PartitionInfo(int Number, GroupId Group, ImmutableArray<ReplicaId> Replicas)
{
    /// <summary>Not wanted any more, and perhaps still members of the group: their replicas stay. Empty when no movement is under way.</summary>
    public ImmutableArray<ReplicaId> Leaving { get; init; } = [];

    /// <summary>The set that the last movement that ended left behind, to which a cancelled one goes back; empty when none is under way.</summary>
    public ImmutableArray<ReplicaId> Before { get; init; } = [];

    /// <summary>Counts the movements that were begun.</summary>
    public int Epoch { get; init; }

    /// <summary>The first set: what the group's membership was before its first entry.</summary>
    public ImmutableArray<ReplicaId> Founding { get; init; } = Replicas;

    /// <summary>
    /// Those of the first set that never left. Only they may begin with <see cref="Founding"/> as the membership: who comes later, or comes
    /// back with nothing, waits for a leader, or two of them could elect each other and begin the log again.
    /// </summary>
    public ImmutableArray<ReplicaId> Founders { get; init; } = Replicas;

    /// <summary>
    /// The last known settled membership is of an entry at or below this one. A replica whose own log names it as a member further up was taken in again.
    /// </summary>
    public LogIndex SettledAt { get; init; }

    /// <summary>
    /// Of the leader that said so: every leader of this term or a later one has that entry, and takes nobody for a member who left with it or before.
    /// </summary>
    public Term SettledTerm { get; init; }

    /// <summary>
    /// What is wanted again once the movement under way has ended: a replica that can't be mended leaves, and comes back without anything. Else empty.
    /// </summary>
    public ImmutableArray<ReplicaId> Returning { get; init; } = [];

    /// <summary>A replica left to be made anew, and may come back.</summary>
    public bool IsReturnDue => !IsMoving && !Returning.IsEmpty;

    public bool IsMoving => !Before.IsEmpty;

    /// <summary>Has a replica, or is to have one.</summary>
    public bool IsPlacedOn(ReplicaId replica) => Replicas.Contains(replica) || Leaving.Contains(replica);

    /// <inheritdoc cref="IsPlacedOn(ReplicaId)"/>
    public bool IsPlacedOn(NodeId node) => Replicas.Any(r => r.Node == node) || Leaving.Any(r => r.Node == node);

    /// <summary>All that have a replica or are to have one: the wanted first.</summary>
    public ImmutableArray<ReplicaId> Placed => Leaving.IsEmpty ? Replicas : Replicas.AddRange(Leaving);

    /// <summary>Wanted and not there before the movement.</summary>
    public IEnumerable<ReplicaId> Adding => IsMoving ? Replicas.Where(r => !Before.Contains(r)) : [];

    /// <summary>The beginning of a movement, also in place of one under way.</summary>
    public PartitionInfo MovedTo(ImmutableArray<ReplicaId> wanted) => this with
    {
        Replicas = wanted,
        Leaving = [.. Placed.Where(r => !wanted.Contains(r))],
        Before = IsMoving ? Before : Replicas,
        Epoch = Epoch + 1,
        Returning = [],
    };

    /// <summary>The wanted set in that order; a movement only where others are wanted than were.</summary>
    public PartitionInfo PlacedOn(ImmutableArray<ReplicaId> wanted) =>
        wanted.Length == Replicas.Length && wanted.All(Replicas.Contains) ? this with { Replicas = wanted } : MovedTo(wanted);

    /// <summary>The beginning of a replica's being made anew: the first of two movements.</summary>
    public PartitionInfo Without(ReplicaId replica) => MovedTo([.. Replicas.Where(r => r != replica)]) with { Returning = Replicas };

    /// <summary>The leader's word: the group's membership is the wanted set, by an entry at or below this one.</summary>
    /// <param name="term">The leader's.</param>
    public PartitionInfo Settled(LogIndex at, Term term) => this with
    {
        Leaving = [],
        Before = [],
        Founders = [.. Founders.Where(Replicas.Contains)],
        SettledAt = LogIndex.Max(SettledAt, at),
        SettledTerm = SettledTerm > term ? SettledTerm : term,
    };
}
