namespace RaftMq.Simulation.World;

/// <summary>What a run, or many, did. A run in which too little happened proves nothing.</summary>
public sealed class Totals
{
    /// <summary>Acknowledgements of sends that left a node.</summary>
    public long Acks { get; internal set; }

    public long RecordsAcked { get; internal set; }

    /// <summary>Attempts of clients to send a batch.</summary>
    public long Sends { get; internal set; }

    /// <summary>Acknowledgements of batches that had been acknowledged before: the answer was lost, the retry found the original.</summary>
    public long RetriedDuplicates { get; internal set; }

    public long Reads { get; internal set; }

    /// <summary>Questions where a log ends.</summary>
    public long EndsAsked { get; internal set; }

    /// <summary>Questions where a time is in a log.</summary>
    public long TimesAsked { get; internal set; }

    public long OffsetCommits { get; internal set; }

    /// <summary>Processes that died, their machine staying up.</summary>
    public long Crashes { get; internal set; }

    /// <summary>Machines that lost power.</summary>
    public long PowerCuts { get; internal set; }

    public long NetworkCuts { get; internal set; }

    public long Resets { get; internal set; }

    /// <summary>Nodes that ended themselves after a fault of their disk.</summary>
    public long DiskStops { get; internal set; }

    /// <summary>Disks that somebody else filled for a while.</summary>
    public long FullDisks { get; internal set; }

    /// <summary>Starts that a full disk made impossible.</summary>
    public long StartsWithoutRoom { get; internal set; }

    /// <summary>Pairs of group and term that got a leader, beyond the first of each group.</summary>
    public long LeaderChanges { get; internal set; }

    public long Transfers { get; internal set; }

    /// <summary>Processes that stood still for some time.</summary>
    public long Pauses { get; internal set; }

    /// <summary>Nodes that joined, with an empty disk.</summary>
    public long NodesJoined { get; internal set; }

    /// <summary>Nodes that were drained and removed.</summary>
    public long NodesRemoved { get; internal set; }

    /// <summary>Volumes of nodes that were emptied; these nodes were removed as lost.</summary>
    public long VolumesLost { get; internal set; }

    /// <summary>Movements of replicas that the cluster agreed to, cancelled ones and their replacements included.</summary>
    public long Moves { get; internal set; }

    public long TopicsDeleted { get; internal set; }

    /// <summary>Topics to which the cluster said that it gave more partitions.</summary>
    public long TopicsGrown { get; internal set; }

    /// <summary>Changes of topics' settings that the cluster said were done.</summary>
    public long SettingsChanged { get; internal set; }

    /// <summary>What many clients did to the same topic and the same offset.</summary>
    public long Calls { get; internal set; }

    /// <summary>Joins of members of consumer groups that were answered.</summary>
    public long Joins { get; internal set; }

    /// <summary>Commits of members that were acknowledged.</summary>
    public long MemberCommits { get; internal set; }

    public long AnswersLost { get; internal set; }

    /// <summary>Partitions that owed their service while one node stayed unwell.</summary>
    public long OwedWithoutOne { get; internal set; }

    /// <summary>Sends that had to wait in the broker: for room in the journal or among uncommitted entries, or for a leader to settle.</summary>
    public long SendsHeld { get; internal set; }

    /// <summary>Appends that followers did not take because their journal was full.</summary>
    public long AppendsHeldOff { get; internal set; }

    public long VirtualUs { get; internal set; }

    public long Events { get; internal set; }

    /// <summary>The most that was seen of each named limit of the nodes, in hundredths of it, by its name.</summary>
    public SortedDictionary<string, long> LargestUses { get; } = new(StringComparer.Ordinal);

    public void SawUse(string limit, long percent) =>
        LargestUses[limit] = Math.Max(percent, LargestUses.GetValueOrDefault(limit));

    public void Add(Totals other)
    {
        foreach ((string limit, long percent) in other.LargestUses)
        {
            SawUse(limit, percent);
        }

        Acks += other.Acks;
        RecordsAcked += other.RecordsAcked;
        Sends += other.Sends;
        RetriedDuplicates += other.RetriedDuplicates;
        Reads += other.Reads;
        EndsAsked += other.EndsAsked;
        TimesAsked += other.TimesAsked;
        OffsetCommits += other.OffsetCommits;
        Crashes += other.Crashes;
        PowerCuts += other.PowerCuts;
        NetworkCuts += other.NetworkCuts;
        Resets += other.Resets;
        DiskStops += other.DiskStops;
        FullDisks += other.FullDisks;
        StartsWithoutRoom += other.StartsWithoutRoom;
        LeaderChanges += other.LeaderChanges;
        Transfers += other.Transfers;
        Moves += other.Moves;
        Pauses += other.Pauses;
        NodesJoined += other.NodesJoined;
        NodesRemoved += other.NodesRemoved;
        VolumesLost += other.VolumesLost;
        TopicsDeleted += other.TopicsDeleted;
        TopicsGrown += other.TopicsGrown;
        SettingsChanged += other.SettingsChanged;
        Calls += other.Calls;
        Joins += other.Joins;
        MemberCommits += other.MemberCommits;
        AnswersLost += other.AnswersLost;
        OwedWithoutOne += other.OwedWithoutOne;
        SendsHeld += other.SendsHeld;
        AppendsHeldOff += other.AppendsHeldOff;
        VirtualUs += other.VirtualUs;
        Events += other.Events;
    }

    public override string ToString() =>
        $"acks {Acks}, records {RecordsAcked}, retried duplicates {RetriedDuplicates}, crashes {Crashes}, power cuts {PowerCuts}, "
        + $"network cuts {NetworkCuts}, leader changes {LeaderChanges}, resets {Resets}, pauses {Pauses}, disk stops {DiskStops}, full disks {FullDisks}, starts without room {StartsWithoutRoom}, transfers {Transfers}, moves {Moves}, nodes joined {NodesJoined}, removed {NodesRemoved}, volumes lost {VolumesLost}, "
        + $"topics deleted {TopicsDeleted}, topics grown {TopicsGrown}, settings changed {SettingsChanged}, offset commits {OffsetCommits}, reads {Reads}, ends asked {EndsAsked}, times asked {TimesAsked}, calls {Calls}, joins {Joins}, member commits {MemberCommits}, answers lost {AnswersLost}, owed without one {OwedWithoutOne}, "
        + $"sends held {SendsHeld}, appends held off {AppendsHeldOff}; "
        + $"largest use of limits {string.Join(", ", LargestUses.Select(use => $"{use.Key} {use.Value} %"))}";
}
