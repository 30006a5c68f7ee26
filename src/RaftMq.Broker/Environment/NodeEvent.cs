using System.Collections.Immutable;
using RaftMq.Storage.Files;

namespace RaftMq.Broker.Environment;

/// <summary>Something an operator may want to read, for the log. Low rate: life-cycle, degraded states, refusals.</summary>
/// <param name="Text">One or two sentences for people.</param>
/// <param name="Facts">What the sentences are about, by name, for programs that read the log; the names of docs/operations.md. A fact that is several things is a list.</param>
public sealed record NodeEvent(NodeEventKind Kind, string Text, ImmutableArray<(string Name, object Value)> Facts)
{
    public string Name => Kind.ToString();

    public NodeEventLevel Level => Kind switch
    {
        NodeEventKind.RefusedByCluster or NodeEventKind.DiskFull or NodeEventKind.GroupDamaged or NodeEventKind.LogDamaged
            or NodeEventKind.BlockUnreadable or NodeEventKind.RepairWaits or NodeEventKind.LogLost or NodeEventKind.StateDiverged or NodeEventKind.StatesDiffer => NodeEventLevel.Error,
        NodeEventKind.NodeOfAnotherCluster or NodeEventKind.PeerFrameRefused or NodeEventKind.WaitsToJoin or NodeEventKind.DiskSlow or NodeEventKind.SnapshotRefused
            or NodeEventKind.LinkBroken
            or NodeEventKind.JournalAboveDisk or NodeEventKind.DiskLow => NodeEventLevel.Warning,
        _ => NodeEventLevel.Information,
    };

    public static NodeEvent Of(UnreadableBlock block) => new(
        NodeEventKind.BlockUnreadable,
        $"The disk does not give back what was written to {block.Path} at {block.Position} ({block.Fault}). What lies there is taken from other replicas; a disk that "
        + "begins with this goes on with it: replace it.",
        [("file", block.Path), ("position", block.Position)]);
}

/// <summary>The numbers are the log's event ids and never change their meaning.</summary>
public enum NodeEventKind
{
    ClusterForms = 1031,
    RefusedByCluster = 1032,
    NodeOfAnotherCluster = 1033,
    PeerFrameRefused = 1034,
    JoinsCluster = 1035,
    WaitsToJoin = 1036,
    NodeAdded = 1037,
    NodeDrained = 1038,
    NodeRemoved = 1039,
    BalanceEnded = 1040,
    LeadershipBegan = 1041,
    LeadershipEnded = 1042,
    LinkBroken = 1043,
    LinksWhole = 1044,
    DiskSlow = 1051,
    DiskKeepsUp = 1052,
    DiskFull = 1053,
    DiskHasRoom = 1054,
    JournalAboveDisk = 1055,
    DiskLow = 1056,
    BlockUnreadable = 1057,
    GroupDamaged = 1061,
    LogDamaged = 1062,
    DamagedGroupDeleted = 1063,
    SnapshotRefused = 1064,
    FilesMended = 1065,
    GroupMended = 1066,
    RepairWaits = 1067,
    LogLost = 1068,
    LogHealed = 1069,
    StateDiverged = 1070,
    StatesDiffer = 1071,
    StateRebuilt = 1072,
}

public enum NodeEventLevel
{
    Information,
    Warning,
    Error,
}
