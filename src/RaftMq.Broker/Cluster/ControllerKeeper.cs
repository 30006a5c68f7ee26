using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// What the controller's leader does about nodes that come and go: members of the controller group follow the cluster's nodes
/// (<see cref="ControllerVoters"/>), replicas go from nodes that are drained (<see cref="DrainPlan"/>), and a node that is to leave is removed
/// once nothing of it is left.
/// </summary>
/// <param name="movesMax">Movements away from drained nodes at a time.</param>
internal sealed class ControllerKeeper(
    NodeId self, ClusterState state, int movesMax, Func<NodeId, bool> isAlive, Func<NodeId, bool> hasRoom,
    INodeEnvironment environment)
{
    private const int LookEveryMs = 50;

    /// <summary>
    /// A learner this many entries behind at most may vote: a change of voters waits for no more. In a short log that could be all of it, so the
    /// entry that made it a learner must be durable there too.
    /// </summary>
    private const int BehindMax = 64;

    private long _nextLookMs;

    /// <summary>Nodes that are no news; null until this node led first.</summary>
    private SortedSet<NodeId>? _seen;

    /// <summary>Of which was told that they are drained.</summary>
    private readonly SortedSet<NodeId> _drained = [];

    public void Keep(Replica controller, ControllerMachine machine, long nowMs)
    {
        if (nowMs < _nextLookMs)
        {
            return;
        }

        _nextLookMs = nowMs + LookEveryMs;
        _seen ??= [.. state.Nodes.Keys];
        TellOfDrained();
        if (RemovalDue(controller) is { } replica)
        {
            machine.TryPropose(new ClusterCommand.NodeRemoved(replica));
            return;
        }

        ReplicaPlace[] places = ReplicaPlace.Of(state, isAlive, hasRoom);
        if (DrainPlan.Next(places, state.Topics.Values, movesMax) is { } step)
        {
            machine.TryPropose(new ClusterCommand.PartitionMoved(step.Topic.Id, step.Partition.Number, step.To));
        }

        if (ReturnDue() is (var topic, var partition))
        {
            // Nodes may have left the cluster meanwhile.
            machine.TryPropose(new ClusterCommand.PartitionMoved(topic.Id, partition.Number, [.. partition.Returning.Where(state.IsMember)]));
        }

        ControllerCandidate[] nodes = [.. state.Nodes.Values.Select(node => Candidate(node, controller))];
        if (ControllerVoters.Next(controller.Membership, controller.Self, nodes, state.Roster.Removed) is { } next)
        {
            // Refused while another change is under way: looked at again.
            controller.ProposeMembership(next.Voters, next.Learners);
        }
    }

    /// <summary>On the node that leads, so that one log tells of it.</summary>
    public void Applied(ClusterCommand? command)
    {
        switch (command)
        {
            case ClusterCommand.NodeRegistered { Node: var node } when _seen?.Add(node.Replica.Node) == true:
                environment.Report(new NodeEvent(
                    NodeEventKind.NodeAdded, $"Node {node.Replica.Node.Value} joined the cluster.", [("node", node.Replica.Node.Value)]));
                break;
            case ClusterCommand.BalanceSet { IsUnderWay: false }:
                environment.Report(new NodeEvent(NodeEventKind.BalanceEnded, "The balance is over: it begins no more movements.", []));
                break;
            case ClusterCommand.NodeRemoved { Replica: var replica }:
                _seen?.Remove(replica.Node);
                environment.Report(new NodeEvent(
                    NodeEventKind.NodeRemoved, $"Node {replica.Node.Value} was removed from the cluster.", [("node", replica.Node.Value)]));
                break;
        }
    }

    private void TellOfDrained()
    {
        foreach (NodeId node in state.Nodes.Keys)
        {
            if (state.Roster.DutyOf(node) != NodeDuty.Draining || state.PartitionsOn(node).Any())
            {
                _drained.Remove(node);
            }
            else if (_drained.Add(node))
            {
                environment.Report(new NodeEvent(
                    NodeEventKind.NodeDrained, $"Node {node.Value} is drained: it holds no replicas any more and can be removed.",
                    [("node", node.Value)]));
            }
        }
    }

    private bool IsGone(NodeId node) =>
        state.Roster.DutyOf(node) == NodeDuty.Leaving && (PlantedBug.RemovedWithReplicas || !state.PartitionsOn(node).Any());

    /// <summary>A node that leaves is let go only after the controller group went on without it: its vote may be needed until then.</summary>
    private ReplicaId? RemovalDue(Replica controller)
    {
        foreach (NodeRecord node in state.Nodes.Values)
        {
            if (IsGone(node.Replica.Node) && !controller.Membership.IsMember(node.Replica) && controller.IsMembershipSettled)
            {
                return node.Replica;
            }
        }

        return null;
    }

    /// <summary>Who left to be made anew comes back, once everybody could hear that it had left.</summary>
    private (TopicInfo Topic, PartitionInfo Partition)? ReturnDue()
    {
        foreach (TopicInfo topic in state.Topics.Values)
        {
            foreach (PartitionInfo partition in topic.Partitions)
            {
                if (partition.IsReturnDue)
                {
                    return (topic, partition);
                }
            }
        }

        return null;
    }

    private ControllerCandidate Candidate(NodeRecord node, Replica controller)
    {
        NodeId id = node.Replica.Node;
        bool isHere = id == self;
        bool isReady = isHere;
        foreach (PeerProgress peer in controller.Progress)
        {
            isReady |= peer.Replica == node.Replica && !peer.InSnapshot && isAlive(id)
                && controller.Log.LastIndex - peer.Match <= BehindMax
                && peer.Match >= controller.MembershipIndex;
        }

        return new ControllerCandidate(
            node.Replica, node.Rack, state.Roster.DutyOf(id), IsGone(id), isHere || isAlive(id), isReady);
    }
}
