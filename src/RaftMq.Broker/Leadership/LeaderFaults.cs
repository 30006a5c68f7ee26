using RaftMq.Raft;

namespace RaftMq.Broker.Leadership;

/// <summary>Why a replica should not lead while another one can. Numbers are part of the peer protocol.</summary>
[Flags]
internal enum LeaderFaults : byte
{
    None = 0,

    /// <summary>Of a node: it is being stopped.</summary>
    Stopping = 1,

    /// <summary>Of a node: its controller group is damaged, so it learns no settings.</summary>
    NoController = 2,

    /// <summary>Of a node: its disk does not keep up (<see cref="SlowDiskWatch"/>).</summary>
    SlowDisk = 4,

    /// <summary>Of a node: its disk has less room than it keeps. Of a replica: the disk had no room for it.</summary>
    DiskFull = 8,

    /// <summary>Of a running replica: durable bytes are damaged (DETECTED).</summary>
    Damaged = 16,

    /// <summary>Of a replica: it does not run, as its durable bytes are damaged. It takes nothing, so it is not in sync either.</summary>
    Quarantined = 32,

    /// <summary>Of a node: it is to be emptied (<c>raftmq node drain</c>).</summary>
    Draining = 64,

    /// <summary>Of a node: the cluster has not taken this start of it for long, so it lets no clients in.</summary>
    NotRegistered = 128,
}

/// <param name="Faults">Of this replica, beside those of its node.</param>
internal readonly record struct GroupFaults(GroupId Group, LeaderFaults Faults);

/// <summary>Faults as clauses for people.</summary>
internal static class LeaderFaultText
{
    private static IReadOnlyList<(LeaderFaults Fault, string Clause)> Clauses =>
    [
        (LeaderFaults.Stopping, "it is being stopped"),
        (LeaderFaults.Draining, "it is being drained"),
        (LeaderFaults.NoController, "its data of the controller group is damaged"),
        (LeaderFaults.NotRegistered, "it is not registered with the cluster and takes no clients"),
        (LeaderFaults.SlowDisk, "its disk does not keep up"),
        (LeaderFaults.DiskFull, "its disk is full"),
        (LeaderFaults.Damaged, "its data of this partition is damaged"),
        (LeaderFaults.Quarantined, "its data of this partition is damaged and it does not run"),
    ];

    public static string Describe(this LeaderFaults faults) =>
        string.Join(" and ", Clauses.Where(clause => faults.HasFlag(clause.Fault)).Select(static clause => clause.Clause));
}
