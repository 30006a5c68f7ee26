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

    public long TopicsDeleted { get; internal set; }

    public long AnswersLost { get; internal set; }

    /// <summary>Sends that had to wait in the broker: for room in the journal or among uncommitted entries, or for a leader to settle.</summary>
    public long SendsHeld { get; internal set; }

    /// <summary>Appends that followers did not take because their journal was full.</summary>
    public long AppendsHeldOff { get; internal set; }

    public long VirtualUs { get; internal set; }

    public long Events { get; internal set; }

    public void Add(Totals other)
    {
        Acks += other.Acks;
        RecordsAcked += other.RecordsAcked;
        Sends += other.Sends;
        RetriedDuplicates += other.RetriedDuplicates;
        Reads += other.Reads;
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
        TopicsDeleted += other.TopicsDeleted;
        AnswersLost += other.AnswersLost;
        SendsHeld += other.SendsHeld;
        AppendsHeldOff += other.AppendsHeldOff;
        VirtualUs += other.VirtualUs;
        Events += other.Events;
    }

    public override string ToString() =>
        $"acks {Acks}, records {RecordsAcked}, retried duplicates {RetriedDuplicates}, crashes {Crashes}, power cuts {PowerCuts}, "
        + $"network cuts {NetworkCuts}, leader changes {LeaderChanges}, resets {Resets}, disk stops {DiskStops}, full disks {FullDisks}, starts without room {StartsWithoutRoom}, transfers {Transfers}, "
        + $"topics deleted {TopicsDeleted}, offset commits {OffsetCommits}, reads {Reads}, answers lost {AnswersLost}, "
        + $"sends held {SendsHeld}, appends held off {AppendsHeldOff}";
}
