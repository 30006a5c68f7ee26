using RaftMq.Broker.Digests;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Leadership;
using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>
/// What is known to be damaged on this node's disk (DETECTED): groups that did not start, running ones of which a read found that a
/// part is not what was written, and running ones of which the journal lost something. None of them should lead.
/// </summary>
internal sealed class DamageRegister(LeaderFitness fitness, Action<NodeEvent> report)
{
    /// <summary>Places of damage that are told of; more say nothing new.</summary>
    private const int PlacesToldMax = 1_000;

    private readonly SortedDictionary<GroupId, DamagedGroup> _damaged = [];
    private readonly SortedDictionary<GroupId, DamagedGroup> _lost = [];
    private readonly HashSet<string> _placesTold = [];

    public IReadOnlyCollection<DamagedGroup> All => [.. _damaged.Values, .. _lost.Values.Where(lost => !_damaged.ContainsKey(lost.Group))];

    /// <summary>The group does not start here. Quarantined, never cut: the other replicas have it whole.</summary>
    public void Quarantine(GroupId group, string name, string what)
    {
        Probe.Reached(RareBranch.QuarantinedAtStart);
        Add(new DamagedGroup(group, name, what, IsRunning: false));
        report(new NodeEvent(
            NodeEventKind.GroupDamaged, $"{name} does not start on this node, its data here is damaged: {what}.", [("group", name), ("damage", what)]));
    }

    public DamagedGroup? Quarantined(GroupId group) =>
        _damaged.TryGetValue(group, out DamagedGroup? damaged) && !damaged.IsRunning ? damaged : null;

    /// <summary>A read of a running group's log found damage. The first place stands for the group.</summary>
    /// <returns>Whether the place is news.</returns>
    public bool Found(Replica replica, string what)
    {
        if (!_damaged.ContainsKey(replica.Group))
        {
            Add(new DamagedGroup(replica.Group, replica.Name.ToString()!, what, IsRunning: true));
        }

        // A consumer asks again and again; the log needs to say it once.
        bool isNews = _placesTold.Count < PlacesToldMax && _placesTold.Add(what);
        if (isNews)
        {
            report(new NodeEvent(
                NodeEventKind.LogDamaged, $"{replica.Name}: {what}. That part is not served here; a replica without damage takes the lead over.",
                [("group", replica.Name.ToString()!), ("damage", what)]));
        }

        return isNews;
    }

    /// <summary>A running group's state is not what a majority's is. Its log is whole; the replica is to be made anew.</summary>
    public void Diverged(Replica replica, in StateDigest own, in StateDigest right)
    {
        Probe.Reached(RareBranch.StateDiverged);
        string name = replica.Name.ToString()!;
        string what = $"its state after entry {right.Index} is {own.Hash:x16} and that of a majority {right.Hash:x16}";
        Add(new DamagedGroup(replica.Group, name, what, IsRunning: true));
        report(new NodeEvent(
            NodeEventKind.StateDiverged,
            $"{name}: {what}. This replica serves nobody any more and is made anew"
            + (replica.IsRebuildable ? " from its log" : " from the others") + ". A fault of this node's memory or of the software did this.",
            [("group", name), ("index", right.Index.Value), ("own", $"{own.Hash:x16}"), ("right", $"{right.Hash:x16}")]));
    }

    /// <summary>A diverged state was made again where it was.</summary>
    public void Rebuilt(Replica replica)
    {
        string name = replica.Name.ToString()!;
        Over(replica.Group);
        if (replica.Log.IsDamaged)
        {
            // Bases that are dropped, and whatever else was found meanwhile: over when they are mended.
            Add(new DamagedGroup(replica.Group, name, "files of it are replaced by what other replicas have", IsRunning: true));
        }

        report(new NodeEvent(
            NodeEventKind.StateRebuilt, $"{name}: its state was made anew from its log, and this replica takes part again.", [("group", name)]));
    }

    /// <summary>The journal lost something of a group that runs. Consensus sees to it, and says when it is over.</summary>
    public void Lost(Replica replica, string what)
    {
        Probe.Reached(RareBranch.StartedWithLoss);
        string name = replica.Name.ToString()!;
        _lost[replica.Group] = new DamagedGroup(replica.Group, name, what, IsRunning: true);
        fitness.SetGroup(replica.Group, LeaderFaults.Damaged, has: true);
        report(new NodeEvent(
            NodeEventKind.LogLost,
            $"{name}: durable bytes of the journal are lost here: {what}. This replica gets them from the others, and until then neither leads nor "
            + "votes for a log that may lack them.",
            [("group", name), ("damage", what)]));
    }

    public void Healed(Replica replica)
    {
        Probe.Reached(RareBranch.Healed);
        string name = replica.Name.ToString()!;
        if (_lost.Remove(replica.Group))
        {
            fitness.SetGroup(replica.Group, LeaderFaults.Damaged, has: _damaged.ContainsKey(replica.Group));
        }

        report(new NodeEvent(NodeEventKind.LogHealed, $"{name}: what was lost here is made up for.", [("group", name)]));
    }

    /// <summary>The group's files were replaced.</summary>
    public void Over(GroupId group)
    {
        if (_damaged.Remove(group))
        {
            // What is found from now on is news.
            _placesTold.Clear();
            fitness.SetGroup(group, LeaderFaults.Damaged, has: _lost.ContainsKey(group));
            fitness.SetGroup(group, LeaderFaults.Quarantined, has: false);
        }
    }

    /// <summary>The group is gone here.</summary>
    public void Forget(GroupId group)
    {
        _lost.Remove(group);
        Over(group);
    }

    private void Add(DamagedGroup damaged)
    {
        _damaged[damaged.Group] = damaged;
        fitness.SetGroup(damaged.Group, damaged.IsRunning ? LeaderFaults.Damaged : LeaderFaults.Quarantined, has: true);
    }
}
