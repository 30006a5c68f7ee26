using RaftMq.Broker;
using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.World;

/// <summary>What the simulator asks of one life of a node. The product's node, or, in the simulator's own tests, something simpler.</summary>
internal interface IBrokerHost
{
    IBroker Broker { get; }

    /// <summary>Not null when the cluster does not take this node: the process ends, and says this.</summary>
    string? RefusedByCluster => null;

    /// <summary>Recovers from the disk, synchronously.</summary>
    void Start();

    /// <summary>Every 10 ms.</summary>
    void Tick();

    void ReceivePeerFrame(NodeId from, PeerFrame frame);

    void ConnectionReset(NodeId from, bool refused);

    /// <summary>What the replicas on this node know, for the checkers that look inside.</summary>
    void Inspect(IReplicaVisitor visitor);

    /// <summary>The newest membership in the log of this node's replica; null without one.</summary>
    (Membership Membership, LogIndex At)? MembershipOf(GroupId group) => null;

    /// <summary>The node by its volume; null where that does not matter.</summary>
    ReplicaId? Self => null;

    /// <summary>What this node's replica knows as leader; null when it is none.</summary>
    LeaderView? LeaderOf(GroupId group) => null;

    /// <summary>Where a partition's log begins by the state of this node's replica; null without one.</summary>
    long? LogStartOf(GroupId group) => null;

    /// <summary>The group that keeps the cluster's metadata; null before the node has a replica of it.</summary>
    GroupId? ControllerGroup => null;

    /// <summary>The cluster's feature level, and the lowest of the newest that its nodes know, as of one entry; null before it has nodes.</summary>
    (int Cluster, int Oldest)? Levels => null;

    /// <summary>
    /// Spoils the state in the memory of a replica, of a partition or the controller, whose group has others enough to find that out: three voters at least.
    /// Null: there is none here.
    /// </summary>
    (GroupId Group, GroupId Key, string Name)? SpoilState(RandomSource random) => null;

    /// <summary>How much of each named limit is in use.</summary>
    IEnumerable<LimitUse> Limits() => [];

    /// <summary>What this life counted itself, once, when it is over.</summary>
    void AddTo(Totals totals)
    {
    }
}

/// <summary>Is shown every replica of a node, in the order of group ids.</summary>
internal interface IReplicaVisitor
{
    void Visit(in ReplicaView replica);

    /// <summary>A replica that refuses to run because it found damage.</summary>
    void VisitDamaged(GroupId group, string report);
}

/// <param name="Key">As the node's store knows it: another one when a replica left the node and came back.</param>
/// <param name="Last">Where its log ends, committed or not.</param>
/// <param name="TermAt">The term of the entry at an index, null when the log does not reach there.</param>
/// <param name="Applied">What its state contains.</param>
/// <param name="HashState">A digest of its state.</param>
/// <param name="LogStart">Of a serving leader: where its log begins, and where the replicated state says that it does.</param>
/// <param name="Counters">Of a partition: records accepted, records visible, offsets given.</param>
/// <param name="Describe">All of its state in one line, for people.</param>
internal readonly record struct ReplicaView(
    GroupId Group, GroupId Key, Role Role, Term Term, LogIndex Last, LogIndex Commit, long NextOffset, Func<LogIndex, Term?> TermAt,
    LogIndex Applied, Func<ulong> HashState, (long Log, long State)? LogStart, (long Accepted, long Visible, long Offsets)? Counters, Func<string> Describe)
{
    public bool IsLeader => Role == Role.Leader;
}

/// <param name="At">The term of the entry at <paramref name="Commit"/>; null when the log does not reach there.</param>
/// <param name="Committed">In force at <paramref name="Commit"/>.</param>
/// <param name="MembershipAt">Of the entry that brought the newest membership.</param>
internal readonly record struct LeaderView(Term Term, LogIndex Commit, Term? At, Membership Committed, Membership Membership, LogIndex MembershipAt)
{
    public HistoryEvent.LeaderCommitted Of(ReplicaId leader, GroupId group) => new(leader, group, Term, Commit, At, Committed, Membership, MembershipAt);
}

/// <summary>Makes the broker of a new life.</summary>
internal delegate IBrokerHost BrokerFactory(SimulatedNode node, INodeEnvironment environment);
