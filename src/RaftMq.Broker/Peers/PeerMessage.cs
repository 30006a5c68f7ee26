using RaftMq.Broker.Leadership;
using RaftMq.Raft;

namespace RaftMq.Broker.Peers;

/// <summary>What nodes say to each other. Sender and its boot number stand in the frame's header.</summary>
internal abstract record PeerMessage
{
    private PeerMessage() { }

    public sealed record ForGroup(GroupId Group, RaftMessage Message) : PeerMessage;

    /// <summary>I am here. Sent to every node every 100 ms; carries nothing else because the frame's header says it all.</summary>
    public sealed record Alive : PeerMessage
    {
        public static readonly Alive Instance = new();
    }

    /// <summary>The sender leads these groups.</summary>
    public sealed record Leading(IReadOnlyList<GroupLead> Groups) : PeerMessage;

    /// <summary>While a cluster forms: what the sender's data folder holds.</summary>
    /// <param name="ControllerGroup">Default while the folder is empty.</param>
    /// <param name="Voters">The controller group's first voters as the sender formed it; empty while its folder is empty.</param>
    public sealed record Formation(GroupId ControllerGroup, IReadOnlyList<ReplicaId> Voters) : PeerMessage;

    /// <summary>The cluster that the sender's data folder belongs to.</summary>
    public sealed record Member(UInt128 ClusterId) : PeerMessage;

    /// <summary>Why the sender, and which of its replicas, should not lead now: all of it, in place of what it said before.</summary>
    public sealed record Faults(LeaderFaults Node, IReadOnlyList<GroupFaults> Groups) : PeerMessage;

    /// <summary>A question of one node's cluster part to another's.</summary>
    public sealed record Request(long Id, ReadOnlyMemory<byte> Body) : PeerMessage;

    public sealed record Response(long Id, ReadOnlyMemory<byte> Body) : PeerMessage;

    /// <summary>Send me the base snapshot of that group from a position on.</summary>
    public sealed record SnapshotWanted(GroupId Group, LogIndex SnapshotIndex, long Position) : PeerMessage;

    /// <param name="TotalBytes">Of the whole snapshot; -1 when the sender does not have it (any more).</param>
    public sealed record SnapshotChunk(
        GroupId Group, LogIndex SnapshotIndex, long Position, long TotalBytes, ReadOnlyMemory<byte> Bytes) : PeerMessage;
}

/// <param name="InSync">Nodes whose replicas are in sync, the leader included.</param>
internal readonly record struct GroupLead(GroupId Group, int Epoch, IReadOnlyList<NodeId> InSync);
