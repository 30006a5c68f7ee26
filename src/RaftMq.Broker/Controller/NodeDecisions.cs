using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// What the controller's leader makes of requests about nodes, given the applied state. A node is its number and its folder's store id: the
/// first registration binds the two, and only the removal of the node ends that.
/// </summary>
/// <param name="isAlive">Whether a node was heard of lately: only to keep an operator from giving up one that runs.</param>
internal sealed class NodeDecisions(ClusterState state, IClock clock, Func<NodeId, bool> isAlive)
{
    /// <summary>All of them are members of the controller group, and a group has no more (<see cref="Membership"/>).</summary>
    public const int NodesMax = 32;

    /// <summary>As for <c>node.id</c>.</summary>
    private const int NodeIdMax = 999_999;

    private const long ExpectedForMs = 24 * 3_600_000L;

    public Decision Register(NodeRecord node)
    {
        NodeId id = node.Replica.Node;
        if (state.IsFormed && (node.FeatureMin > state.FeatureLevel || node.FeatureMax < state.FeatureLevel))
        {
            return Refuse(
                $"Node {id.Value} speaks feature levels {node.FeatureMin} to {node.FeatureMax}, the cluster is at "
                + $"{state.FeatureLevel}. Run a version of RaftMq that includes level {state.FeatureLevel}.");
        }

        if (state.Roster.Removed.Contains(node.Replica))
        {
            return Refuse(RemovedText(id));
        }

        if (state.Nodes.TryGetValue(id, out NodeRecord? known))
        {
            if (known.Replica != node.Replica && !PlantedBug.AnyFolderRegistered)
            {
                return Refuse(
                    $"Node {id.Value} is known with another folder. A folder was emptied or exchanged: bring the "
                    + "old one back; without it the node stays out. If it is lost, remove the node and add it as a new one: "
                    + $"`raftmq node remove {id.Value} --lost`, then `raftmq node add {id.Value}`.");
            }

            if (known.Equals(node))
            {
                return new Decision(null, new AdminResult(AdminOutcome.Done));
            }

            // A late word of an earlier life gets this too: the life that would heed it is over.
            bool isEarlierStart = known.Boot.Value > node.Boot.Value || (known.Boot == node.Boot && known.StartId != node.StartId);
            if (isEarlierStart && !PlantedBug.AnyFolderRegistered)
            {
                return Refuse(
                    $"This is start {node.Boot.Value} of node {id.Value}'s data folder, but the cluster has seen start {known.Boot.Value} of it already. "
                    + "An older copy of the folder was put back, and what the node promised since is not in it: "
                    + "bring the newest one back as it was when the node stopped; without it the node stays out.");
            }
        }
        else if (state.IsFormed && !state.FirstVoters.Contains(node.Replica) && !state.Roster.IsExpected(id, clock.UnixMs))
        {
            return new Decision(null, new AdminResult(
                AdminOutcome.NotExpected, $"Node {id.Value} is not expected here: `raftmq node add {id.Value}` lets it in."));
        }

        return Propose(new ClusterCommand.NodeRegistered(node));
    }

    public Decision Expect(NodeId node)
    {
        if (node.Value is < 0 or > NodeIdMax)
        {
            return Refuse($"A node's number is between 0 and {NodeIdMax}.");
        }

        if (state.Nodes.ContainsKey(node))
        {
            return Refuse(
                $"Node {node.Value} is in the cluster already. To put another folder in its place, remove it first: "
                + $"`raftmq node remove {node.Value}`.");
        }

        long now = clock.UnixMs;
        int others = state.Roster.Expected.Count(e => e.Key != node && e.Value > now);
        if (others >= NodeRoster.ExpectedMax)
        {
            return Refuse($"{others} nodes are expected already; let them come, or take one back with `raftmq node remove`.");
        }

        return state.Nodes.Count + others >= NodesMax
            ? Refuse($"A cluster has at most {NodesMax} nodes.")
            : Propose(new ClusterCommand.NodeExpected(node, now + ExpectedForMs, now));
    }

    /// <summary>Whether the number stands for something else than was meant. What is gone is nothing else: then there is no such node.</summary>
    public bool IsAnotherThan(NodeAsKnown meant, NodeId node) => state.Known(node) is var now && now != default && now != meant;

    public Decision Drain(AdminCommand.DrainNode drain)
    {
        NodeId node = drain.Node;
        if (!state.Nodes.ContainsKey(node))
        {
            return Unknown(node);
        }

        NodeDuty duty = state.Roster.DutyOf(node);
        if (drain.Cancel)
        {
            return duty == NodeDuty.Serving ? Done() : Propose(new ClusterCommand.NodeDutySet(node, NodeDuty.Serving));
        }

        if (duty != NodeDuty.Serving)
        {
            return Done();
        }

        return state.Nodes.Keys.Any(n => n != node && state.Roster.DutyOf(n) == NodeDuty.Serving)
            ? Propose(new ClusterCommand.NodeDutySet(node, NodeDuty.Draining))
            : Refuse($"Node {node.Value} is the last one that takes replicas: add another one first (`raftmq node add`).");
    }

    public Decision Remove(AdminCommand.RemoveNode remove)
    {
        NodeId node = remove.Node;
        if (!state.Nodes.ContainsKey(node))
        {
            long now = clock.UnixMs;
            return state.Roster.Expected.ContainsKey(node) ? Propose(new ClusterCommand.NodeExpected(node, now, now)) : Unknown(node);
        }

        if (state.Roster.DutyOf(node) == NodeDuty.Leaving)
        {
            return Done();
        }

        if (remove.Lost && isAlive(node))
        {
            return Refuse(
                $"Node {node.Value} is alive: --lost is for one that never comes back. Drain it first: `raftmq node drain {node.Value}`.");
        }

        int replicas = state.PartitionsOn(node).Count();
        if (replicas > 0 && !remove.Lost)
        {
            return Refuse(
                $"Node {node.Value} holds {replicas} replicas: `raftmq node drain {node.Value}` brings them to other nodes. "
                + "If the node is dead for good, --lost makes them anew from the others.");
        }

        return state.Nodes.Keys.Any(n => n != node && state.Roster.DutyOf(n) == NodeDuty.Serving)
            ? Propose(new ClusterCommand.NodeDutySet(node, NodeDuty.Leaving))
            : Refuse($"Node {node.Value} is the last one that takes replicas: a cluster needs another one first.");
    }

    /// <summary>What a removed node is told, by whomever it meets.</summary>
    public static string RemovedText(NodeId node) =>
        $"Node {node.Value} was removed from the cluster, and its data folder with it: this folder can't come back. For a new node take an empty "
        + $"folder, after `raftmq node add {node.Value}`.";

    private static Decision Unknown(NodeId node) =>
        new(null, new AdminResult(AdminOutcome.UnknownNode, $"There is no node {node.Value} in the cluster."));

    private static Decision Done() => new(null, new AdminResult(AdminOutcome.Done));

    private static Decision Propose(ClusterCommand command) => new(command, null);

    private static Decision Refuse(string message) => new(null, new AdminResult(AdminOutcome.Refused, message));
}
