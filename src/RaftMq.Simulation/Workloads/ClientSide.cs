using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>What all clients of a run share: the way to the nodes, and where they believe leaders to be.</summary>
internal sealed class ClientSide(SimulationWorld world, IReadOnlyList<SimulatedNode> nodes, ClientNetwork network)
{
    /// <summary>Far beyond what any request takes on a healthy cluster, short enough that clients try again during faults.</summary>
    public const int RequestTimeoutUs = 1_500_000;

    private const int StaleOneIn = 5;

    private readonly Dictionary<GroupId, ((SimulatedNode Node, int Epoch) Now, (SimulatedNode Node, int Epoch) Before)> _told = [];

    public SimulationWorld World => world;

    public ClientNetwork Network => network;

    public IReadOnlyList<SimulatedNode> Nodes => nodes;

    /// <summary>Null before the faults are over.</summary>
    public long? HealedAtUs { get; set; }

    /// <summary>The one that stays unwell when the other faults are over; null when there is none.</summary>
    public SimulatedNode? Unwell { get; set; }

    /// <summary>Clients begin nothing new.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Members leave their consumer group.</summary>
    public bool MembersAreLeaving { get; set; }

    /// <summary>One of those that are to run: clients know no others.</summary>
    public SimulatedNode AnyNode(RandomSource random)
    {
        SimulatedNode[] wanted = [.. nodes.Where(static n => n.IsWanted)];
        return wanted[random.Next(wanted.Length)];
    }

    /// <summary>
    /// Asks a node for metadata and takes the leader it names; a node that is down, or does not know, makes the client guess. Clients
    /// so learn of a new leader as late as the node they happen to ask.
    /// </summary>
    public (SimulatedNode Node, int Epoch) LeaderOf(GroupId group, RandomSource random)
    {
        for (int tries = 0; tries < 3; tries++)
        {
            if (AnyNode(random) is { Life.IsPaused: false } asked && asked.Host?.Broker.Cluster.LeaderOf(group) is { } leader
                && nodes.FirstOrDefault(n => n.Id == leader.Leader) is { } node)
            {
                return Remembered(group, node, leader.Epoch, random);
            }
        }

        return (AnyNode(random), -1);
    }

    /// <summary>
    /// Clients keep what they were told until an answer proves it wrong: some still go to the leader before. While one node stays unwell they go by the
    /// newest epoch that any node told, as real clients do (KIP-320): else they would ask again and again one that hears no news.
    /// </summary>
    private (SimulatedNode Node, int Epoch) Remembered(GroupId group, SimulatedNode leader, int epoch, RandomSource random)
    {
        if (!_told.TryGetValue(group, out ((SimulatedNode Node, int Epoch) Now, (SimulatedNode Node, int Epoch) Before) told))
        {
            told = ((leader, epoch), (leader, epoch));
        }

        bool isNews = Unwell is null ? told.Now.Node != leader : epoch > told.Now.Epoch;
        if (isNews)
        {
            told = ((leader, epoch), told.Now);
        }

        _told[group] = told;
        if (Unwell is not null)
        {
            return told.Now;
        }

        return random.OneIn(StaleOneIn) ? told.Before : (leader, epoch);
    }

    /// <summary>Before the answer of a node is judged: who has to hold what, by that node's log.</summary>
    public void TellMembers(SimulatedNode node, GroupId group)
    {
        if (MembersOf(node, group) is { } members)
        {
            world.History.Add(members);
        }
    }

    /// <summary>Before the answer of a leader is judged: what it decides by. One without followers says nothing of it to anybody.</summary>
    public void TellLeader(SimulatedNode node, GroupId group)
    {
        if (node.Host is { Self: { } self } host && host.LeaderOf(group) is { } view)
        {
            world.History.Add(view.Of(self, group));
        }
    }

    /// <summary>In the logs of all nodes that are up.</summary>
    public IReadOnlyList<HistoryEvent.MembersInForce> MembersOfController() =>
    [
        .. nodes.Select(node => node.Host?.ControllerGroup is { } group ? MembersOf(node, group) : null).OfType<HistoryEvent.MembersInForce>(),
    ];

    private static HistoryEvent.MembersInForce? MembersOf(SimulatedNode node, GroupId group) =>
        node.Host?.MembershipOf(group) is ({ Voters.Count: > 0 } members, var at)
            ? new HistoryEvent.MembersInForce(
                node.Id, group, at, [.. members.Voters.Select(r => r.Node)], [.. members.OutgoingVoters.Select(r => r.Node)])
            : null;

    public PartitionInfo? PartitionOf(string topic, int partition, RandomSource random) =>
        AnyNode(random).Host?.Broker.Cluster.Partition(topic, partition);
}
