using System.Collections.Immutable;

namespace RaftMq.Broker.Environment;

/// <summary>Something an operator may want to read, for the log. Low rate: life-cycle, degraded states, refusals.</summary>
/// <param name="Text">One or two sentences for people.</param>
/// <param name="Facts">What the sentences are about, by name, for programs that read the log; the names of docs/operations.md. A fact that is several things is a list.</param>
public sealed record NodeEvent(NodeEventKind Kind, string Text, ImmutableArray<(string Name, object Value)> Facts)
{
    public string Name => Kind.ToString();

    public NodeEventLevel Level => Kind switch
    {
        NodeEventKind.RefusedByCluster or NodeEventKind.DiskFull or NodeEventKind.GroupDamaged or NodeEventKind.LogDamaged => NodeEventLevel.Error,
        NodeEventKind.NodeOfAnotherCluster or NodeEventKind.PeerFrameRefused or NodeEventKind.DiskSlow or NodeEventKind.SnapshotRefused
            or NodeEventKind.JournalAboveDisk => NodeEventLevel.Warning,
        _ => NodeEventLevel.Information,
    };
}

/// <summary>The numbers are the log's event ids and never change their meaning.</summary>
public enum NodeEventKind
{
    ClusterForms = 1031,
    RefusedByCluster = 1032,
    NodeOfAnotherCluster = 1033,
    PeerFrameRefused = 1034,
    LeadershipBegan = 1041,
    LeadershipEnded = 1042,
    DiskSlow = 1051,
    DiskKeepsUp = 1052,
    DiskFull = 1053,
    DiskHasRoom = 1054,
    JournalAboveDisk = 1055,
    GroupDamaged = 1061,
    LogDamaged = 1062,
    DamagedGroupDeleted = 1063,
    SnapshotRefused = 1064,
}

public enum NodeEventLevel
{
    Information,
    Warning,
    Error,
}
