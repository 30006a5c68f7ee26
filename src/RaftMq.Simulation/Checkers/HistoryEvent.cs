using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Something that was observed from outside of the cluster, or by looking inside where a promise is about the inside. The checkers know
/// nothing else.
/// </summary>
public abstract record HistoryEvent
{
    private HistoryEvent()
    {
    }

    /// <summary>The nodes that exist.</summary>
    public sealed record ClusterFormed(IReadOnlyList<NodeId> Nodes) : HistoryEvent;

    /// <param name="MinInSync">The topic's min.insync.replicas.</param>
    /// <param name="AtUs">When clients heard of it.</param>
    public sealed record PartitionCreated(GroupId Group, string Name, IReadOnlyList<NodeId> Voters, int MinInSync, long AtUs = 0) : HistoryEvent;

    /// <summary>The partition is being deleted: nothing is promised of it any more.</summary>
    public sealed record PartitionDeleted(GroupId Group) : HistoryEvent;

    /// <summary>A client is about to send a batch for the first time.</summary>
    /// <param name="Producer">Of an idempotent producer; -1 otherwise.</param>
    /// <param name="TimestampMs">The greatest of its records.</param>
    /// <param name="Bytes">Of the batch.</param>
    public sealed record SendStarted(GroupId Group, Mark Mark, int Count, long Producer, int BaseSequence, long TimestampMs = 0, int Bytes = 0)
        : HistoryEvent;

    /// <summary>The acknowledgement leaves the node; whether it reaches the client is another matter.</summary>
    /// <param name="IsByLeader">The replica that acknowledges leads, as it knows at that moment.</param>
    public sealed record SendAcked(GroupId Group, Mark Mark, int Count, long BaseOffset, NodeId By, bool IsByLeader = true) : HistoryEvent;

    /// <summary>An answer to a consumer leaves the node.</summary>
    public sealed record BatchesRead(
        GroupId Group, NodeId By, long From, ReadOutcome Outcome, long HighWatermark, long LogStart, IReadOnlyList<SeenBatch> Batches)
        : HistoryEvent;

    /// <summary>A client is about to ask where a partition's log ends.</summary>
    public sealed record EndAsked(GroupId Group, long Request) : HistoryEvent;

    /// <summary>The answer leaves the node.</summary>
    /// <param name="Request">As in <see cref="EndAsked"/>.</param>
    public sealed record EndTold(GroupId Group, NodeId By, long Request, long Offset) : HistoryEvent;

    /// <summary>A client is about to ask for the first batch with a record at least that young.</summary>
    public sealed record TimeAsked(GroupId Group, long Request, long TimestampMs) : HistoryEvent;

    /// <summary>A client is about to ask for the youngest batch.</summary>
    public sealed record GreatestTimeAsked(GroupId Group, long Request) : HistoryEvent;

    /// <summary>The answer leaves the node.</summary>
    /// <param name="Request">As in <see cref="TimeAsked"/> or <see cref="GreatestTimeAsked"/>.</param>
    /// <param name="Offset">-1: there is none.</param>
    public sealed record TimeTold(GroupId Group, NodeId By, long Request, long Offset, long TimestampMs) : HistoryEvent;

    /// <summary>A whole partition, read from its leader when all is over.</summary>
    public sealed record LogRead(GroupId Group, long LogStart, long HighWatermark, IReadOnlyList<SeenBatch> Batches) : HistoryEvent;

    /// <summary>A client is about to ask that everything before an offset goes.</summary>
    public sealed record DeleteRecordsStarted(GroupId Group, long Before) : HistoryEvent;

    /// <summary>A client is about to ask for settings that say what a partition's log keeps. Null: nothing is asked for; below 0: all is kept.</summary>
    public sealed record RetentionAsked(GroupId Group, long? RetentionMs, long? RetentionBytes, long? SegmentBytes) : HistoryEvent;

    /// <summary>A leader lets a partition's log begin there, for the first time that anybody sees it.</summary>
    /// <param name="UnixMs">The latest time that the clock of whoever decided it has shown until now.</param>
    public sealed record LogStartSeen(GroupId Group, NodeId By, long Offset, long UnixMs) : HistoryEvent;

    public sealed record CommitStarted(string Consumers, GroupId Partition, long Offset, Mark Mark) : HistoryEvent;

    /// <summary>The answer "stored" to an offset commit leaves the node.</summary>
    /// <param name="Coordinator">The group that keeps it.</param>
    public sealed record CommitAcked(string Consumers, GroupId Partition, long Offset, Mark Mark, GroupId Coordinator) : HistoryEvent;

    public sealed record OffsetFetchStarted(string Consumers, GroupId Partition, long Request) : HistoryEvent;

    /// <param name="Offset">-1: the group has none there.</param>
    /// <param name="Request">As in <see cref="OffsetFetchStarted"/>.</param>
    public sealed record OffsetFetched(string Consumers, GroupId Partition, long Offset, long Request) : HistoryEvent;

    /// <summary>Many clients make and delete a topic of this name, none of which knows what the others do.</summary>
    public sealed record TopicShared(string Name) : HistoryEvent;

    /// <summary>A topic is deleted together with partitions of these numbers, if there are any that no client has found yet.</summary>
    public sealed record UnfoundDeleted(string Topic, int From, int To) : HistoryEvent;

    /// <summary>A client is about to do something with an object that others use too.</summary>
    /// <param name="Object">A name: of a topic, or of a group and a partition.</param>
    /// <param name="Call">Another number each time.</param>
    public sealed record CallStarted(long Call, string Object, ObjectCall What) : HistoryEvent;

    /// <summary>The answer leaves the node.</summary>
    /// <param name="Found">By a read; else without meaning.</param>
    public sealed record CallEnded(long Call, CallOutcome Outcome, ObjectState Found = default) : HistoryEvent;

    /// <summary>The client gave up waiting: the call has had an effect, or will have, or never will.</summary>
    public sealed record CallLost(long Call) : HistoryEvent;

    /// <summary>
    /// The node that was asked knew an object of that name, and its time for the call is over: what of the call is still on its way may concern that one, or
    /// one that took its place meanwhile, and none that is made from now on.
    /// </summary>
    public sealed record CallOver(long Call) : HistoryEvent;

    /// <summary>A consumer group whose members come and go, and go on until the run ends.</summary>
    public sealed record GroupExpected(string Group) : HistoryEvent;

    /// <summary>A member, or who wants to become one, is about to join or to commit.</summary>
    /// <param name="Request">Another number each time; the answer names it.</param>
    public sealed record MemberAsked(string Group, long Request) : HistoryEvent;

    /// <summary>The answer to a join leaves the node.</summary>
    public sealed record MemberJoined(string Group, long Request, int Generation, string Member, string Leader) : HistoryEvent;

    /// <summary>The leader of a generation is about to say who has what.</summary>
    public sealed record AssignmentMade(string Group, int Generation, IReadOnlyDictionary<string, IReadOnlyList<int>> Partitions) : HistoryEvent;

    /// <summary>The answer to a sync leaves the node.</summary>
    public sealed record MemberAssigned(string Group, int Generation, string Member, IReadOnlyList<int> Partitions) : HistoryEvent;

    /// <summary>The answer "stored" to a member's commit leaves the node.</summary>
    public sealed record MemberCommitted(string Group, long Request, int Generation, string Member, int Partition, long AtUs) : HistoryEvent;

    /// <summary>A node asks the controller for something, or asks again.</summary>
    /// <param name="Number">The same each time it asks for the same.</param>
    /// <param name="Topic">What the topic's name stood for when the node was asked; zero: no name, or none that it knew.</param>
    /// <param name="IsOnce">It is to be carried out once; else as often as it comes.</param>
    public sealed record RequestSaid(ReplicaId By, long Number, UInt128 Topic, bool IsOnce = true) : HistoryEvent;

    /// <summary>A node is told what became of what it asked for, for good.</summary>
    public sealed record RequestTold(NodeId Whom, long Number, bool IsRefused) : HistoryEvent;

    /// <summary>An entry of the controller's group that answers a request is on its way to a follower.</summary>
    /// <param name="Changes">It carries the request out.</param>
    /// <param name="Topic">What it changes; zero: no topic that was there.</param>
    public sealed record AnswerEntrySeen(GroupId Group, LogIndex Index, Term Term, ReplicaId Asker, long Number, bool Changes, UInt128 Topic) : HistoryEvent;

    /// <summary>A node knows another one by its folder.</summary>
    /// <param name="Removed">Folders that it knows to have left the cluster.</param>
    public sealed record FolderKnown(NodeId By, ReplicaId Folder, IReadOnlyCollection<ReplicaId> Removed) : HistoryEvent;

    /// <summary>The cluster gave out a block of producer ids.</summary>
    public sealed record ProducerIdsGiven(long First, int Count) : HistoryEvent;

    /// <summary>The answer "done" to an administrative request that carried a mark leaves the node.</summary>
    /// <param name="Believed">
    /// The memberships of the controller group in the logs of all nodes that are up: any of them may have forwarded the request.
    /// </param>
    public sealed record ChangeAcked(string What, Mark Mark, IReadOnlyList<MembersInForce> Believed) : HistoryEvent;

    /// <summary>A sync returned, and the disk, were its power cut now, would keep the bytes that hold this mark, whole.</summary>
    /// <param name="BaseOffset">The base offset that the batch has in those bytes; -1 for marks that are no batches.</param>
    public sealed record MarkDurable(NodeId Node, Mark Mark, long BaseOffset) : HistoryEvent;

    /// <summary>
    /// The membership in a replica's log, looked at when that node is about to answer: the newest membership entry, committed or not, decides
    /// (Raft 6).
    /// </summary>
    /// <param name="Outgoing">While joint, the old half; else empty.</param>
    /// <param name="At">Of the entry that brought it.</param>
    public sealed record MembersInForce(
        NodeId By, GroupId Group, LogIndex At, IReadOnlyList<NodeId> Voters, IReadOnlyList<NodeId> Outgoing) : HistoryEvent;

    /// <summary>The node gave up its replica of the group: its files are on their way out and count for nothing.</summary>
    /// <param name="Key">As the node's store knows the group.</param>
    /// <param name="Folder">Its name begins with the topic's.</param>
    public sealed record ReplicaGivenUp(NodeId Node, GroupId Key, string Folder = "") : HistoryEvent;

    /// <summary>A journal batch is durable that says a replica's term and vote.</summary>
    /// <param name="Key">As the node's store knows the group; so in the events below.</param>
    public sealed record HardStateDurable(ReplicaId By, GroupId Key, Term Term, ReplicaId? Vote) : HistoryEvent;

    /// <summary>A journal batch is durable that has entries of a replica's log; they take the place of all from the first one's index on.</summary>
    /// <param name="Terms">Of each of them.</param>
    /// <param name="Membership">The index of the last one that is a membership; null when there is none.</param>
    public sealed record EntriesDurable(ReplicaId By, GroupId Key, LogIndex First, IReadOnlyList<Term> Terms, LogIndex? Membership = null) : HistoryEvent;

    /// <summary>A journal batch is durable that begins a replica's log anew behind a snapshot.</summary>
    /// <param name="IsState">Said again of what was before: news only where the log is known to end below, as a start found a batch that no sync confirmed.</param>
    public sealed record ResetDurable(ReplicaId By, GroupId Key, LogIndex Index, Term Term, bool IsState = false) : HistoryEvent;

    /// <summary>A journal batch is durable that says how far a replica's segments are.</summary>
    public sealed record SegmentsDurable(ReplicaId By, GroupId Key, LogIndex UpTo) : HistoryEvent;

    /// <summary>A journal batch is durable that has an entry which is not whole.</summary>
    public sealed record BrokenEntryDurable(ReplicaId By, GroupId Key, LogIndex After) : HistoryEvent;

    /// <summary>A journal batch is durable that says what is lost of what was durable of a replica.</summary>
    /// <param name="CutFrom">From here on nothing of its log counts that stands before this batch; null when the log is whole.</param>
    /// <param name="IsRecorded">It is said with it what had been held; without that it would be forgotten.</param>
    /// <param name="IsTermLost">It may have been in a later term, and have voted there.</param>
    public sealed record LossDurable(ReplicaId By, GroupId Key, LogIndex? CutFrom, bool IsRecorded, bool IsTermLost = false) : HistoryEvent;

    /// <summary>A journal batch is durable that says that what was lost of a replica is made up for.</summary>
    public sealed record HealedDurable(ReplicaId By, GroupId Key) : HistoryEvent;

    /// <summary>A start has brought a replica back; nothing has left its node yet.</summary>
    /// <param name="Last">Where its log ends.</param>
    public sealed record ReplicaStarted(ReplicaId By, GroupId Key, LogIndex Last, Term Term) : HistoryEvent;

    /// <summary>A node makes files for a replica that came by a movement.</summary>
    /// <param name="BornFrom">Memberships of entries below say nothing of it.</param>
    /// <param name="BeginsWith">Voters of the membership that it is made with.</param>
    public sealed record ReplicaMade(NodeId Node, GroupId Key, LogIndex BornFrom, int BeginsWith = 0) : HistoryEvent;

    /// <summary>A running replica that came by a movement counts itself among those that vote.</summary>
    /// <param name="MembershipAt">Of the entry that brought the newest membership in its log.</param>
    public sealed record VoterSeen(NodeId Node, GroupId Key, Role Role, LogIndex MembershipAt) : HistoryEvent;

    /// <summary>A message leaves a node; whether it arrives is another matter.</summary>
    public sealed record Said(ReplicaId By, NodeId To, GroupId Group, RaftMessage Message) : HistoryEvent;

    /// <summary>A leader's commit index or membership is another one than when it last said something.</summary>
    /// <param name="At">The term of the entry there; null when its log does not reach so far back.</param>
    /// <param name="Committed">In force at that commit index.</param>
    /// <param name="Membership">The newest, committed or not.</param>
    /// <param name="MembershipAt">Of the entry that brought the newest membership.</param>
    public sealed record LeaderCommitted(
        ReplicaId By, GroupId Group, Term Term, LogIndex Commit, Term? At, Membership Committed, Membership Membership, LogIndex MembershipAt)
        : HistoryEvent;

    /// <summary>A node knows the cluster, as of some entry of the controller's log.</summary>
    /// <param name="Level">The cluster's feature level there.</param>
    /// <param name="Oldest">The lowest of the newest levels that its nodes said there that they know.</param>
    /// <param name="Own">The newest that the program of this node knows.</param>
    /// <param name="IsAtEnd">When all is over.</param>
    public sealed record FeatureLevelKnown(NodeId By, int Level, int Oldest, int Own, bool IsAtEnd = false) : HistoryEvent;

    /// <summary>A file takes another name.</summary>
    /// <param name="IsDurable">All that was written to it is.</param>
    public sealed record FileRenamed(NodeId By, string From, string To, bool IsDurable) : HistoryEvent;

    /// <summary>A segment of a group that stays is about to be deleted.</summary>
    /// <param name="Next">The first index of the segment behind it; null when it is the last one.</param>
    /// <param name="Bases">The indexes of the base checkpoints that the medium would keep, those that were received and not installed yet included.</param>
    public sealed record SegmentDeleted(NodeId By, GroupId Key, LogIndex First, LogIndex? Next, IReadOnlyList<LogIndex> Bases) : HistoryEvent;

    /// <summary>A node acts as the leader of a term.</summary>
    public sealed record LeaderSeen(GroupId Group, Term Term, NodeId Node) : HistoryEvent;

    /// <summary>An entry travels between nodes.</summary>
    /// <param name="Previous">The term of the entry before it in that log.</param>
    public sealed record EntrySeen(GroupId Group, LogIndex Index, Term Term, Term Previous, uint Checksum) : HistoryEvent;

    /// <summary>A replica considers the entry committed; its own log has this term there.</summary>
    public sealed record EntryCommitted(NodeId Node, GroupId Group, LogIndex Index, Term Term) : HistoryEvent;

    /// <summary>A node's limit was looked at and more of it was in use than ever before in that life.</summary>
    public sealed record LimitSeen(NodeId Node, string Limit, long Used, long Max) : HistoryEvent;

    /// <summary>How a node's disk is off for room, looked at from outside.</summary>
    /// <param name="Life">Of the node's process.</param>
    /// <param name="MinBytes">With less free the node should take no records.</param>
    /// <param name="CanLook">The disk answers the node as well, so it can know.</param>
    public sealed record RoomSeen(NodeId Node, int Life, long FreeBytes, long MinBytes, bool CanLook, long AtUs) : HistoryEvent;

    /// <summary>A node looks how much room its disk has.</summary>
    public sealed record RoomFound(NodeId Node, long FreeBytes) : HistoryEvent;

    /// <summary>Where the log of a leader ends, committed or not. In one term it grows by records that this leader took.</summary>
    public sealed record LeaderEndSeen(NodeId Node, int Life, GroupId Group, Term Term, long NextOffset, long AtUs) : HistoryEvent;

    /// <summary>What a node holds in its reserve file when all is over and all disks have room.</summary>
    public sealed record ReserveAtEnd(NodeId Node, long HeldBytes, long WantedBytes) : HistoryEvent;

    /// <summary>All faults are over; from here on the cluster owes service.</summary>
    public sealed record Healed(long AtUs) : HistoryEvent;

    /// <summary>All faults are over but those of one node; from here on the cluster owes the service that it can give without that one.</summary>
    public sealed record HealedButForOne(NodeId Unwell, long AtUs) : HistoryEvent;

    /// <summary>The node that was unwell is about to be well.</summary>
    /// <param name="Owed">The partitions that had a majority of replicas, and as many as an ack asks for, without it.</param>
    public sealed record UnwellNoMore(IReadOnlyList<GroupId> Owed) : HistoryEvent;

    /// <summary>A batch that was first sent after the healing is acknowledged to its client.</summary>
    public sealed record WrittenAfterHeal(GroupId Group, long AtUs) : HistoryEvent;

    /// <param name="Consumer">A name for a message.</param>
    /// <param name="Group">The partition it follows, while that is not deleted.</param>
    public sealed record ConsumerExpected(string Consumer, GroupId Group) : HistoryEvent;

    /// <summary>A consumer got records that it had not seen, or learnt that there are none.</summary>
    public sealed record ConsumerMoved(string Consumer, long AtUs) : HistoryEvent;

    /// <summary>Where a node believes a partition to be when all is over.</summary>
    public sealed record PlacedAtEnd(NodeId By, GroupId Group, int Epoch, bool IsMoving, IReadOnlyList<NodeId> Nodes) : HistoryEvent;

    /// <summary>A replica when all is over and nothing is on its way.</summary>
    public sealed record ReplicaAtEnd(NodeId Node, GroupId Group, LogIndex Commit, long NextOffset) : HistoryEvent;

    /// <summary>What a replica of a partition has counted when all is over.</summary>
    /// <param name="Offsets">How many were given, from the first on.</param>
    public sealed record CountersAtEnd(NodeId Node, GroupId Group, long Accepted, long Visible, long Offsets) : HistoryEvent;

    /// <summary>The memory of a running replica was spoilt: its state is not what its log says any more.</summary>
    /// <param name="Key">As the node's store knows the replica: another one when it left the node and came back.</param>
    /// <param name="Name">As the node tells of it.</param>
    public sealed record StateSpoilt(NodeId Node, GroupId Group, GroupId Key, string Name) : HistoryEvent;

    /// <summary>A node sends a piece of a snapshot of its replica.</summary>
    public sealed record SnapshotGiven(NodeId Node, GroupId Group) : HistoryEvent;

    /// <summary>A node says that its replica's state is not that of a majority.</summary>
    public sealed record DivergenceTold(NodeId Node, string Name) : HistoryEvent;

    /// <summary>A node says that a replica has made its state again, without leaving its group.</summary>
    public sealed record StateRebuiltTold(NodeId Node, string Name) : HistoryEvent;

    /// <summary>A leader says that its group's states differ and no majority agrees.</summary>
    public sealed record UndecidedTold(NodeId Node, string Name) : HistoryEvent;

    /// <summary>The faults are over for so long that replicas are found out that differ, while clients still write.</summary>
    public sealed record CalmBegan : HistoryEvent;

    /// <summary>Clients stop soon, and who was found out by now is made anew until the end.</summary>
    public sealed record CalmEnded : HistoryEvent;

    /// <summary>What a replica made of its log when all is over.</summary>
    public sealed record StateAtEnd(NodeId Node, GroupId Group, GroupId Key, LogIndex Applied, ulong Hash) : HistoryEvent;

    /// <summary>The run is over.</summary>
    public sealed record Ended(long AtUs) : HistoryEvent;
}

/// <param name="IsIntact">The batch's bytes are those that were sent.</param>
public readonly record struct SeenBatch(Mark Mark, long BaseOffset, int Count, bool IsIntact)
{
    public long NextOffset => BaseOffset + Count;
}
