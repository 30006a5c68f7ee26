using System.Collections.Immutable;
using RaftMq.Broker.Movement;
using RaftMq.Broker.Space;
using RaftMq.Raft;

namespace RaftMq.Broker;

/// <summary>What a node's replicas look like at one moment: for metrics, the admin API and the command line.</summary>
public sealed record NodeStatus(
    NodeId Self, ImmutableArray<ReplicaStatus> Replicas, ImmutableArray<DamagedGroup> Damaged)
{
    /// <summary>How much of each named limit of the broker is in use (BOUNDED).</summary>
    public ImmutableArray<LimitUse> Limits { get; init; } = [];

    /// <summary>Movements of partitions that this node leads.</summary>
    public ImmutableArray<MovementStatus> Movements { get; init; } = [];

    /// <summary>How the disk is off for room; short also while a writer found none.</summary>
    public RoomLevel Room { get; init; }

    /// <summary>A sentence without its full stop; null while there is enough.</summary>
    public string? RoomNote { get; init; }

    /// <summary>What the disk of the data folder had for the node when it was last looked at, at most a second ago.</summary>
    public long FreeBytes { get; init; }

    /// <summary>What the reserve file holds.</summary>
    public long ReserveBytes { get; init; }

    /// <summary>The journal takes no produces and no appends now: its files are full, or its disk is too slow. Not told of a full disk.</summary>
    public bool IsJournalFull { get; init; }

    /// <summary>The disk does not keep up, or did not in the last seconds: what this node leads goes to others that are better off.</summary>
    public bool IsDiskSlow { get; init; }

    /// <summary>Nodes that others hear, and with which this one has contact in one direction at most, now or in the last seconds.</summary>
    public int LinksBroken { get; init; }

    public HoldStatus Holds { get; init; }

    public RepairStatus Repairs { get; init; }

    public ScrubStatus Scrub { get; init; }
}

/// <param name="Limit">Its name, ending in the unit where it is not a plain count.</param>
/// <param name="Used">May be above <paramref name="Max"/> by what is needed to get below it again.</param>
public readonly record struct LimitUse(string Limit, long Used, long Max);

/// <summary>What limits held back since the node's start.</summary>
/// <param name="Produces">Produces that had to wait: for room in the journal, among uncommitted entries, or for a leader to settle.</param>
/// <param name="ProducesTimedOut">Of those, the ones whose time was up before they could be written.</param>
/// <param name="Appends">Appends of other leaders that were not taken because the journal was full; they are sent again.</param>
public readonly record struct HoldStatus(long Produces, long ProducesTimedOut, long Appends);

/// <summary>What was mended here with other replicas' files since the node's start.</summary>
public readonly record struct RepairStatus(long Files, long Bytes);

/// <summary>How far this node is with reading its own files to find damage.</summary>
/// <param name="Bytes">Read since the node's start.</param>
/// <param name="Passes">Of which each read all files, since the node's start.</param>
/// <param name="LastPassAgoMs">Since the last one ended; -1 before that.</param>
/// <param name="Done">Replicas that the pass under way has read, of <paramref name="Of"/>; 0 of 0 while none is.</param>
/// <param name="Found">Files that were found damaged, since the node's start.</param>
/// <param name="LastPassFound">Of those, the ones that the last pass that ended has found.</param>
public readonly record struct ScrubStatus(long Bytes, long Passes, long LastPassAgoMs, int Done, int Of, long Found, long LastPassFound);

/// <param name="Name">Topic and partition, or <c>controller</c>.</param>
/// <param name="LogStart">First offset consumers may read.</param>
/// <param name="HighWatermark">Offset behind the last committed record.</param>
/// <param name="LogEnd">Offset behind the last record, committed or not.</param>
/// <param name="InSync">Voters in sync as the leader sees it; zero on followers.</param>
/// <param name="Pending">Produces on their way or waiting, on the leader.</param>
/// <param name="SegmentBytes">Bytes in segment files.</param>
public readonly record struct ReplicaStatus(
    GroupId Group, string Name, string? Topic, int Partition, Role Role, int Term, NodeId? Leader, long LogStart,
    long HighWatermark, long LogEnd, int InSync, int Voters, int Pending, long SegmentBytes, bool IsQuiet)
{
    /// <summary>The disk had no room for its segments or checkpoints when they were last tried; a leader refuses produce meanwhile.</summary>
    public bool HasNoRoom { get; init; }
}

/// <summary>A group of which this replica's durable bytes are damaged (DETECTED).</summary>
/// <param name="Report">What is wrong, as the end of a sentence that names the group; without a full stop.</param>
/// <param name="IsRunning">
/// False: it must not start here. True: it runs, does not serve what a read found to be damaged, and leads only while no other replica can.
/// </param>
public sealed record DamagedGroup(GroupId Group, string Name, string Report, bool IsRunning)
{
    /// <summary>How its repair from other replicas goes, as a clause; null when there is none.</summary>
    public string? Repair { get; init; }
}
