using RaftMq.Broker;
using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Simulation.World;

/// <summary>What the simulator asks of one life of a node. The product's node, or, in the simulator's own tests, something simpler.</summary>
internal interface IBrokerHost
{
    IBroker Broker { get; }

    /// <summary>Recovers from the disk, synchronously.</summary>
    void Start();

    /// <summary>Every 10 ms.</summary>
    void Tick();

    void ReceivePeerFrame(NodeId from, PeerFrame frame);

    void ConnectionReset(NodeId from, bool refused);

    /// <summary>What the replicas on this node know, for the checkers that look inside.</summary>
    void Inspect(IReplicaVisitor visitor);

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

/// <param name="TermAt">The term of the entry at an index, null when the log does not reach there.</param>
/// <param name="Describe">All of its state in one line, for people.</param>
internal readonly record struct ReplicaView(
    GroupId Group, bool IsLeader, Term Term, LogIndex Commit, long NextOffset, Func<LogIndex, Term?> TermAt, Func<string> Describe);

/// <summary>Makes the broker of a new life.</summary>
internal delegate IBrokerHost BrokerFactory(SimulatedNode node, INodeEnvironment environment);
