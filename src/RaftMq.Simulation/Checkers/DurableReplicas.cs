using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>What the media of all nodes hold of all replicas, by the journals' batches alone, as far as they are synced.</summary>
internal sealed class DurableReplicas
{
    private readonly Dictionary<(ReplicaId By, GroupId Key), DurableReplica> _replicas = [];

    /// <summary>The lives of a group on one node, the newest last: each movement there is of a later epoch.</summary>
    private readonly Dictionary<(ReplicaId By, UInt128 Lives), List<GroupId>> _lives = [];

    /// <summary>Whose volume is in a node.</summary>
    private readonly Dictionary<NodeId, ReplicaId> _here = [];

    public void Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.HardStateDurable said:
                Of(said.By, said.Key).HardState(said.Term, said.Vote);
                break;
            case HistoryEvent.EntriesDurable said:
                Of(said.By, said.Key).Entries(said.First, said.Terms, said.Membership);
                break;
            case HistoryEvent.ResetDurable { IsState: true } said when Of(said.By, said.Key).Last >= said.Index:
                break;
            case HistoryEvent.ResetDurable said:
                Of(said.By, said.Key).Reset(said.Index, said.Term);
                break;
            case HistoryEvent.SegmentsDurable said:
                Of(said.By, said.Key).SegmentsUpTo(said.UpTo);
                break;
            case HistoryEvent.HealedDurable said:
                Of(said.By, said.Key).Healed();
                break;
            case HistoryEvent.LossDurable { CutFrom: { } from } said:
                Of(said.By, said.Key).CutAt(from);
                break;
        }
    }

    /// <summary>Its newest life there; null when its medium knows nothing of the group.</summary>
    public DurableReplica? Find(ReplicaId by, GroupId group) => KeyOf(by, group) is { } key ? _replicas[(by, key)] : null;

    /// <summary>As the store knows the newest life.</summary>
    public GroupId? KeyOf(ReplicaId by, GroupId group) =>
        _lives.TryGetValue((by, LivesOf(group)), out List<GroupId>? lives) ? lives.MaxBy(key => (key.Value ^ group.Value) >> 96) : null;

    /// <summary>Whose volume is in the node, as far as its journal told.</summary>
    public ReplicaId? Here(NodeId node) => _here.TryGetValue(node, out ReplicaId replica) ? replica : null;

    public DurableReplica? FindKey(ReplicaId by, GroupId key) => _replicas.GetValueOrDefault((by, key));

    /// <summary>On the volume that is in the node.</summary>
    public DurableReplica? FindKey(NodeId by, GroupId key) =>
        _here.TryGetValue(by, out ReplicaId replica) ? _replicas.GetValueOrDefault((replica, key)) : null;

    /// <summary>What the lives of a group have in common (<see cref="GroupId.IsLifeOf"/>).</summary>
    private static UInt128 LivesOf(GroupId group) => group.Value << 32;

    private DurableReplica Of(ReplicaId by, GroupId key)
    {
        _here[by.Node] = by;
        if (!_replicas.TryGetValue((by, key), out DurableReplica? replica))
        {
            _replicas.Add((by, key), replica = new DurableReplica());
            if (!_lives.TryGetValue((by, LivesOf(key)), out List<GroupId>? lives))
            {
                _lives.Add((by, LivesOf(key)), lives = []);
            }

            lives.Add(key);
        }

        return replica;
    }
}
