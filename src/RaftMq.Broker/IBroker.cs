using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Broker;

/// <summary>
/// What the faces (Kafka, HTTP) see of a node. May be called from any thread; answers come through completion objects, inside a
/// section. Nothing here blocks.
/// </summary>
public interface IBroker
{
    NodeId Self { get; }

    /// <summary>The cluster as this node knows it. Immutable; take it once per request.</summary>
    ClusterImage Cluster { get; }

    BrokerOptions Options { get; }

    void Produce(ProduceCommand command);

    void Read(ReadCommand command);

    /// <summary>
    /// Registers a waiter that is woken once the partition's high watermark is above <paramref name="offset"/> (at once when it is
    /// already), or when this node stops leading it.
    /// </summary>
    void WaitForRecords(GroupId group, long offset, IReadWaiter waiter);

    void StopWaiting(GroupId group, IReadWaiter waiter);

    void FindOffset(GroupId group, OffsetQuery query, long timestampMs, int leaderEpoch, Action<OffsetResult> completion);

    /// <summary>The end offset of the largest epoch at or below <paramref name="epoch"/> (Kafka KIP-101 and KIP-320).</summary>
    void FindEpochEnd(GroupId group, int epoch, int leaderEpoch, Action<EpochEndResult> completion);

    void Administer(AdminCommand command, long deadlineMs, IAdminCompletion completion);

    /// <summary>The coordinator of consumer groups whose internal partition this node leads; null when it does not lead it.</summary>
    void WithCoordinator(string consumerGroup, ICoordinatorCall call);

    /// <summary>
    /// The coordinator of one partition of the internal topic (<see cref="OffsetsTopic"/>), for what concerns all its groups: a list of
    /// groups is put together from the partitions that this node leads.
    /// </summary>
    void WithCoordinatorOf(GroupId offsetsPartition, ICoordinatorCall call);
}

/// <param name="Epoch">-1 when nothing is known at or below the epoch asked for.</param>
public readonly record struct EpochEndResult(ReadOutcome Outcome, int Epoch, long EndOffset);

/// <summary>Runs inside the section of the coordinator's partition.</summary>
public interface ICoordinatorCall
{
    void Run(GroupCoordinator coordinator, long nowMs);

    /// <summary>This node does not lead the group's partition, or does not yet know what it holds.</summary>
    void NotHere();
}
