using RaftMq.Broker.Leadership;
using RaftMq.Raft;

namespace RaftMq.Broker.Space;

/// <summary>
/// Whether a group's records find room: at this node, and on a majority of its voters as far as these are heard and said so
/// (<see cref="LeaderFaults.DiskFull"/>). A minority without room does not stop a group: it falls behind. A majority without room would only take
/// what can't be committed, so the leader refuses it.
/// </summary>
/// <param name="journalHasNoRoom">This node's journal found none for its next file.</param>
internal sealed class GroupRoom(NodeId self, SpaceWatch space, LeaderFitness fitness, Func<NodeId, bool> isAlive, Func<bool> journalHasNoRoom)
{
    private const string NoneHere = "The leader's disk is full: free room or lower retention; reads go on.";
    private const string LittleHere = "The leader's disk has less than disk.free.bytes.min free: free room or lower retention; reads go on.";
    private const string NoneAtOthers = "The disks of too many of the partition's replicas are full: free room or lower retention; reads go on.";

    /// <summary>The disk's level is not known well enough to take more.</summary>
    public bool IsBlind => space.IsBlind;

    public void Written(long entryBytes) => space.Written(entryBytes);

    /// <summary>Why the leader takes no records of the group; null when it does.</summary>
    /// <param name="logHasNoRoom">Its own segments or checkpoints found none.</param>
    public string? RefusalOf(GroupId group, Membership membership, bool logHasNoRoom)
    {
        if (logHasNoRoom || journalHasNoRoom())
        {
            return NoneHere;
        }

        if (space.IsShort)
        {
            return LittleHere;
        }

        if (!fitness.AnyOtherDiskIsFull || HaveRoom(group, membership))
        {
            return null;
        }

        // With too few alive this is no matter of room: then records wait for a majority as ever.
        bool alive = IsQuorum(membership, replica => IsHere(replica) || isAlive(replica.Node));
        Probe.ReachedWhen(alive, RareBranch.FullMajorityRefused);
        return alive ? NoneAtOthers : null;
    }

    /// <summary>
    /// This node is short of room, and the group's others have enough to go on without it: it takes no records. Where it is needed it takes them all the
    /// same, or what is on its way could never be committed, nor what frees room behind that.
    /// </summary>
    public bool IsSpared(GroupId group, Membership membership) => space.IsShort && HaveRoom(group, membership);

    private bool HaveRoom(GroupId group, Membership membership) => IsQuorum(membership, replica => IsHere(replica)
        ? !space.IsShort
        : isAlive(replica.Node) && !fitness.Of(replica.Node, group).HasFlag(LeaderFaults.DiskFull));

    private bool IsHere(in ReplicaId replica) => replica.Node == self;

    private static bool IsQuorum(Membership membership, Func<ReplicaId, bool> counts) =>
        IsMajority(membership.Voters, counts) && (!membership.IsJoint || IsMajority(membership.OutgoingVoters, counts));

    private static bool IsMajority(IReadOnlyList<ReplicaId> voters, Func<ReplicaId, bool> counts) =>
        2 * voters.Count(counts) > voters.Count;
}
