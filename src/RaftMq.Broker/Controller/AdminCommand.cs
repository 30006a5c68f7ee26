using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// What an operator or a client asks of the cluster. Any node takes it and passes it on to the controller's leader; the answer comes
/// when the change is durable (committed) and applied on the node that was asked.
/// </summary>
public abstract record AdminCommand
{
    private AdminCommand() { }

    /// <summary>The topic that is meant by its name alone; null: none, or one by its id.</summary>
    internal virtual string? TopicByName => null;

    /// <summary>The node that is meant by its number; null: none, or whichever has it.</summary>
    internal virtual NodeId? NodeByNumber => null;

    /// <summary>It is only asked what would be answered.</summary>
    internal virtual bool ChangesNothing => false;

    /// <param name="Partitions">-1: the default.</param>
    /// <param name="ReplicationFactor">-1: the default (3, or as many as there are nodes).</param>
    /// <param name="Assignments">Empty: the controller places; else one list of nodes per partition.</param>
    public sealed record CreateTopic(
        string Name, int Partitions, int ReplicationFactor, ImmutableArray<ImmutableArray<NodeId>> Assignments,
        ImmutableSortedDictionary<string, string> Configs, bool ValidateOnly, bool Internal = false) : AdminCommand
    {
        internal override bool ChangesNothing => ValidateOnly;
    }

    public sealed record DeleteTopic(string Name, UInt128 Id) : AdminCommand
    {
        internal override string? TopicByName => Id == 0 ? Name : null;
    }

    public sealed record AddPartitions(
        string Topic, int TotalCount, ImmutableArray<ImmutableArray<NodeId>> Assignments, bool ValidateOnly) : AdminCommand
    {
        internal override string? TopicByName => Topic;

        internal override bool ChangesNothing => ValidateOnly;
    }

    /// <summary>Null value: back to the default. <paramref name="Replace"/>: what is not named goes back to its default too.</summary>
    public sealed record SetTopicConfigs(
        string Topic, ImmutableSortedDictionary<string, string?> Changes, bool Replace, bool ValidateOnly) : AdminCommand
    {
        internal override string? TopicByName => Topic;

        internal override bool ChangesNothing => ValidateOnly;
    }

    /// <summary>Makes a replica the preferred leader and hands leadership over.</summary>
    public sealed record TransferLeadership(string Topic, int Partition, NodeId To) : AdminCommand
    {
        internal override string? TopicByName => Topic;
    }

    /// <summary>Moves a partition's replicas to these nodes, the first to lead; null: a movement under way goes back to where it came from.</summary>
    public sealed record Reassign(string Topic, int Partition, ImmutableArray<NodeId>? To) : AdminCommand
    {
        internal override string? TopicByName => Topic;
    }

    /// <summary>Raises the log start: what is below is gone for consumers. -1: up to the high watermark.</summary>
    public sealed record DeleteRecords(string Topic, int Partition, long BeforeOffset) : AdminCommand;

    /// <summary>A block of producer ids that nobody else ever gets.</summary>
    public sealed record AllocateProducerIds(int Count) : AdminCommand;

    /// <summary>A node of that number may join the cluster with an empty folder, for a day.</summary>
    public sealed record ExpectNode(NodeId Node) : AdminCommand;

    /// <summary>Takes everything from a node: leaders, replicas. <paramref name="Cancel"/>: it serves again.</summary>
    public sealed record DrainNode(NodeId Node, bool Cancel) : AdminCommand
    {
        internal override NodeId? NodeByNumber => Node;
    }

    /// <summary>
    /// Takes a drained node out of the cluster, for ever; done when it is written that it leaves. A node that is only expected is not any more.
    /// </summary>
    /// <param name="Lost">The node is dead for good: what it holds is made anew on others first.</param>
    public sealed record RemoveNode(NodeId Node, bool Lost) : AdminCommand
    {
        internal override NodeId? NodeByNumber => Node;
    }

    /// <summary>
    /// Makes placement even over nodes and racks; done when it is written that this begins, or when it is even already. <paramref name="Cancel"/>: begins no
    /// more movements; those under way end.
    /// </summary>
    public sealed record Balance(bool Cancel) : AdminCommand;
}

public enum AdminOutcome
{
    Done,
    NotController,
    TopicExists,
    UnknownTopic,
    UnknownPartition,
    InvalidName,
    InvalidPartitions,
    InvalidReplicationFactor,
    InvalidAssignment,
    InvalidConfig,
    NotEnoughNodes,
    NotReplica,

    /// <summary>This node does not lead the partition; ask the one that does.</summary>
    NotLeader,
    OffsetOutOfRange,
    TimedOut,
    Refused,

    /// <summary>No movement of the partition is under way.</summary>
    NotMoving,
    UnknownNode,

    /// <summary>A node wants to join that nobody said would come.</summary>
    NotExpected,
}

/// <param name="Message">For people: what happened and what mends it. Null when done.</param>
/// <param name="Number">AllocateProducerIds: the first id; DeleteRecords: the new log start; else 0.</param>
public sealed record AdminResult(AdminOutcome Outcome, string? Message = null, long Number = 0, TopicInfo? Topic = null);

/// <summary>Called once, inside a section of the node: do little, never block.</summary>
public interface IAdminCompletion
{
    void Completed(AdminResult result);
}
