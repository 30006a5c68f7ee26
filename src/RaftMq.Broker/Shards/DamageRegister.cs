using RaftMq.Broker.Environment;
using RaftMq.Broker.Leadership;
using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>
/// What is known to be damaged on this node's disk (DETECTED): groups that did not start, and running ones of which a read found that a
/// part is not what was written. Neither should lead.
/// </summary>
internal sealed class DamageRegister(LeaderFitness fitness, Action<NodeEvent> report)
{
    /// <summary>Places of damage that are told of; more say nothing new.</summary>
    private const int PlacesToldMax = 1_000;

    private readonly SortedDictionary<GroupId, DamagedGroup> _damaged = [];
    private readonly HashSet<string> _placesTold = [];

    public IReadOnlyCollection<DamagedGroup> All => _damaged.Values;

    /// <summary>The group does not start here. Quarantined, never cut: the other replicas have it whole.</summary>
    public void Quarantine(GroupId group, string name, string what)
    {
        Add(new DamagedGroup(group, name, what, IsRunning: false));
        report(new NodeEvent(
            NodeEventKind.GroupDamaged, $"{name} does not start on this node, its data here is damaged: {what}.", [("group", name), ("damage", what)]));
    }

    public DamagedGroup? Quarantined(GroupId group) =>
        _damaged.TryGetValue(group, out DamagedGroup? damaged) && !damaged.IsRunning ? damaged : null;

    /// <summary>A read of a running group's log found damage. The first place stands for the group.</summary>
    public void Found(Replica replica, string what)
    {
        if (!_damaged.ContainsKey(replica.Group))
        {
            Add(new DamagedGroup(replica.Group, replica.Name.ToString()!, what, IsRunning: true));
        }

        // A consumer asks again and again; the log needs to say it once.
        if (_placesTold.Count < PlacesToldMax && _placesTold.Add(what))
        {
            report(new NodeEvent(
                NodeEventKind.LogDamaged, $"{replica.Name}: {what}. That part is not served here; a replica without damage takes the lead over.",
                [("group", replica.Name.ToString()!), ("damage", what)]));
        }
    }

    /// <summary>The group's files were replaced, or are gone.</summary>
    public void Over(GroupId group)
    {
        if (_damaged.Remove(group))
        {
            fitness.SetGroup(group, LeaderFaults.Damaged | LeaderFaults.Quarantined, has: false);
        }
    }

    private void Add(DamagedGroup damaged)
    {
        _damaged[damaged.Group] = damaged;
        fitness.SetGroup(damaged.Group, damaged.IsRunning ? LeaderFaults.Damaged : LeaderFaults.Quarantined, has: true);
    }
}
