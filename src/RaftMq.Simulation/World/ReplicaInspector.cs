using RaftMq.Raft;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.World;

/// <summary>Looks into the replicas from time to time, for the promises that are about the inside: what each considers committed.</summary>
internal sealed class ReplicaInspector(SimulationWorld world, IReadOnlyList<SimulatedNode> nodes) : IReplicaVisitor
{
    private readonly Dictionary<(NodeId Node, int Life, GroupId Group), LogIndex> _seenUpTo = [];
    private SimulatedNode _node = nodes[0];
    private bool _isAtEnd;
    private bool _isDescribing;

    public void Every(long us) => world.After(us, () =>
    {
        foreach (SimulatedNode node in nodes)
        {
            Look(node);
        }

        Every(us);
    });

    /// <summary>When all is over and nothing is on its way.</summary>
    public void AtEnd()
    {
        _isAtEnd = true;
        foreach (SimulatedNode node in nodes)
        {
            if (!node.IsUp)
            {
                world.History.Violated("liveness", $"{node.Id} is down at the end");
                return;
            }

            Look(node);
        }
    }

    /// <summary>After a violation: what every replica looks like, into the trace.</summary>
    public void Describe()
    {
        if (world.Trace.IsVerbose)
        {
            _isDescribing = true;
            foreach (SimulatedNode node in nodes)
            {
                Look(node);
            }
        }
    }

    public void Visit(in ReplicaView replica)
    {
        if (_isDescribing)
        {
            world.Trace.Add(world.NowUs, TraceKind.Observed, $"{_node.Id}: {replica.Describe()}");
            return;
        }

        if (replica.IsLeader)
        {
            world.History.Add(new HistoryEvent.LeaderSeen(replica.Group, replica.Term, _node.Id));
        }

        (NodeId, int, GroupId) key = (_node.Id, _node.Life!.Number, replica.Group);
        LogIndex from = _seenUpTo.GetValueOrDefault(key);
        for (LogIndex index = from.Next; index <= replica.Commit; index = index.Next)
        {
            if (replica.TermAt(index) is { } term)
            {
                world.History.Add(new HistoryEvent.EntryCommitted(_node.Id, replica.Group, index, term));
            }
        }

        if (replica.Commit < from)
        {
            world.History.Violated("committed prefix", $"{_node.Id}, group {replica.Group}: commit went back from {from} to {replica.Commit}");
        }

        _seenUpTo[key] = replica.Commit;
        if (_isAtEnd)
        {
            world.History.Add(new HistoryEvent.ReplicaAtEnd(_node.Id, replica.Group, replica.Commit, replica.NextOffset));
        }
    }

    public void VisitDamaged(GroupId group, string report) =>
        world.History.Violated("DETECTED", $"{_node.Id} refuses to start group {group}, though nothing was damaged: {report}");

    private void Look(SimulatedNode node)
    {
        if (node.Life is { } life && node.Host is { } host)
        {
            _node = node;
            SimulationWorld.RunInside(life, () => host.Inspect(this));
        }
    }
}
