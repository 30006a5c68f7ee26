using RaftMq.Broker.Digests;
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

    /// <summary>To a node with an empty folder: the sender is of a cluster, of which these are the nodes. Registering there lets it join.</summary>
    /// <param name="ControllerLeader">Who takes registrations; null while the sender knows nobody.</param>
    public sealed record Introduction(
        UInt128 ClusterId, GroupId ControllerGroup, NodeId? ControllerLeader, IReadOnlyList<PeerPlace> Nodes) : PeerMessage;

    /// <summary>That node and folder were removed from that cluster, and stay out of it.</summary>
    public sealed record Removed(UInt128 ClusterId, ReplicaId Whom) : PeerMessage;

    /// <summary>The cluster that the sender's data folder belongs to.</summary>
    public sealed record Member(UInt128 ClusterId) : PeerMessage;

    /// <summary>Why the sender, and which of its replicas, should not lead now: all of it, in place of what it said before.</summary>
    public sealed record Faults(LeaderFaults Node, IReadOnlyList<GroupFaults> Groups) : PeerMessage;

    /// <summary>Whom the sender hears, and whom it misses (<see cref="Connectivity"/>), in order: all of it, in place of what it said before.</summary>
    public sealed record Hearing(IReadOnlyList<NodeId> Heard, IReadOnlyList<NodeId> Missed) : PeerMessage;

    /// <summary>A question of one node's cluster part to another's.</summary>
    public sealed record Request(long Id, ReadOnlyMemory<byte> Body) : PeerMessage;

    public sealed record Response(long Id, ReadOnlyMemory<byte> Body) : PeerMessage;

    /// <summary>Send me the base snapshot of that group from a position on.</summary>
    public sealed record SnapshotWanted(GroupId Group, LogIndex SnapshotIndex, long Position) : PeerMessage;

    /// <param name="TotalBytes">Of the whole snapshot; -1 when the sender does not have it (any more).</param>
    public sealed record SnapshotChunk(
        GroupId Group, LogIndex SnapshotIndex, long Position, long TotalBytes, ReadOnlyMemory<byte> Bytes) : PeerMessage;

    /// <summary>To the group's leader: what the sender's state is.</summary>
    public sealed record StateDigested(GroupId Group, StateDigest Digest) : PeerMessage;

    /// <summary>From the group's leader: a majority's state there is this one, and the receiver's is not.</summary>
    public sealed record StateDiverged(GroupId Group, StateDigest Right) : PeerMessage;

    /// <summary>The sender's files of that group are damaged where these entries are; all of them are committed.</summary>
    public sealed record RepairWanted(GroupId Group, LogIndex From, LogIndex To) : PeerMessage;

    /// <param name="From">As it was asked: the index of the first entry, where there are any.</param>
    /// <param name="LogBase">Where the answer is <see cref="RepairAnswer.Behind"/>: the sender's log begins behind this entry.</param>
    /// <param name="Entries">Without a gap; of one segment.</param>
    public sealed record RepairEntries(
        GroupId Group, LogIndex From, RepairAnswer Answer, LogIndex LogBase, IReadOnlyList<Entry> Entries) : PeerMessage;
}

/// <summary>What became of a question for entries. Numbers are part of the peer protocol.</summary>
internal enum RepairAnswer : byte
{
    /// <summary>Here they are, or the first of them.</summary>
    Entries = 0,

    /// <summary>The sender has no such group, or not that far.</summary>
    NotHere = 1,

    /// <summary>They are damaged there too.</summary>
    Damaged = 2,

    /// <summary>Retention has cut them.</summary>
    Behind = 3,
}

/// <summary>Where a node's port for other nodes is.</summary>
internal readonly record struct PeerPlace(NodeId Node, string Host, int Port);

/// <param name="InSync">Nodes whose replicas are in sync, the leader included.</param>
internal readonly record struct GroupLead(GroupId Group, int Epoch, IReadOnlyList<NodeId> InSync);
