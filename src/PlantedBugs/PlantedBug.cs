namespace RaftMq;

/// <summary>
/// Classic mistakes, to test the simulator with: it must find each of them. Constants, all false: nothing of a mistake is in what is built
/// from here. The configuration Planted has switches of the same names in their place (PlantedBug.Switches.cs).
/// </summary>
internal static class PlantedBug
{
    /// <summary>A batch counts as durable that was written and not synced.</summary>
    public const bool AckBeforeFsync = false;

    /// <summary>A follower acknowledges entries that its disk has not confirmed.</summary>
    public const bool FollowerAcksBeforeWrite = false;

    /// <summary>The leader counts itself among those that have an entry before its own disk has it.</summary>
    public const bool LeaderCountsItselfBeforeWrite = false;

    /// <summary>A vote is given that nothing wrote down.</summary>
    public const bool VoteNotPersisted = false;

    /// <summary>A replica enters a term that nothing wrote down.</summary>
    public const bool TermNotPersisted = false;

    /// <summary>A vote is given to a candidate whose log is shorter than the voter's.</summary>
    public const bool VoteForShorterLog = false;

    /// <summary>A voter gives its vote to every candidate of a term.</summary>
    public const bool TwoVotesInOneTerm = false;

    /// <summary>An old append, all of whose entries are there, cuts what came after them.</summary>
    public const bool TruncateOnStaleAppend = false;

    /// <summary>A leader commits an entry of an earlier term because a majority has it (Raft figure 8).</summary>
    public const bool OldTermCommittedByCounting = false;

    /// <summary>A heartbeat with an older commit index is believed.</summary>
    public const bool CommitIndexGoesBack = false;

    /// <summary>A notice of a write stands for entries that were cut meanwhile.</summary>
    public const bool WrittenNoticeWithoutTerm = false;

    /// <summary>A linearizable read is answered without asking a quorum.</summary>
    public const bool ReadWithoutRound = false;

    /// <summary>A new leader decides upon a state that lacks what the old leader committed.</summary>
    public const bool ServesBeforeOwnTermCommits = false;

    /// <summary>A leader that hears nobody leads on: those that hear it elect no other one.</summary>
    public const bool QuorumNotChecked = false;

    /// <summary>A quiet group sleeps on when a node of it dies or restarts.</summary>
    public const bool QuietGroupSleepsOn = false;

    /// <summary>The name of a new journal file is not synced.</summary>
    public const bool DirectoryNotSynced = false;

    /// <summary>A checkpoint is named before its bytes are synced.</summary>
    public const bool CheckpointNotSynced = false;

    /// <summary>An installed snapshot takes the log's place before its own bytes and name are durable.</summary>
    public const bool SnapshotInstalledBeforeDurable = false;

    /// <summary>A checkpoint may stand above what the log has durably.</summary>
    public const bool CheckpointAboveDurableLog = false;

    /// <summary>The journal is told that segments are durable that were not synced.</summary>
    public const bool SegmentMarkedBeforeSync = false;

    /// <summary>A start takes the last batch of the journal although its body is torn.</summary>
    public const bool TornBatchAccepted = false;

    /// <summary>A start trusts what it read of the last batch, which a killed process may have left in the page cache only.</summary>
    public const bool LastBatchNotWrittenAnew = false;

    /// <summary>A start takes batches of an earlier use of a journal file.</summary>
    public const bool RecycledBytesAccepted = false;

    /// <summary>A failed fsync of the journal is taken for a done one.</summary>
    public const bool FsyncErrorIgnored = false;

    /// <summary>Retention deletes segments before the base of the first one left is durable.</summary>
    public const bool BaseCutBeforeCheckpoint = false;

    /// <summary>A checkpoint forgets the producers.</summary>
    public const bool ProducerTableLostAtCheckpoint = false;

    /// <summary>What an earlier leadership proposed is still taken for under way.</summary>
    public const bool OverlayKeptAcrossLeaderships = false;

    /// <summary>A batch that is sent again while it is under way is proposed a second time.</summary>
    public const bool OverlayIgnored = false;

    /// <summary>A duplicate is answered with the end of the log.</summary>
    public const bool DuplicateGetsNewOffset = false;

    /// <summary>A duplicate of a batch that is under way is acknowledged at once.</summary>
    public const bool DuplicateAckedInFlight = false;

    /// <summary>An entry of another leader at the awaited index is taken for the own one, and who leads no more still serves until the turn's end.</summary>
    public const bool AckByIndexAlone = false;

    /// <summary>An acknowledgement does not wait for min.insync.replicas above the majority.</summary>
    public const bool MinInSyncIgnored = false;

    /// <summary>A consumer is given records that are not committed.</summary>
    public const bool UncommittedRead = false;

    /// <summary>A leader tells the end of its log as the high watermark.</summary>
    public const bool HighWatermarkOfLog = false;

    /// <summary>An offset commit is acknowledged when it is proposed.</summary>
    public const bool OffsetCommitAckedBeforeCommit = false;

    /// <summary>Records are deleted when that is proposed.</summary>
    public const bool LogStartBeforeCommit = false;

    /// <summary>Retention by size takes the last segment too, into which is written.</summary>
    public const bool RetentionTakesHead = false;

    /// <summary>Retention takes a segment once its first record is too old.</summary>
    public const bool RetentionByFirstRecord = false;

    /// <summary>A partition is kept by the settings of another topic.</summary>
    public const bool RetentionOfOtherTopic = false;

    /// <summary>A request that was refused may be carried out when a copy of it comes.</summary>
    public const bool RefusalNotRemembered = false;

    /// <summary>A request to the controller that comes again is carried out again.</summary>
    public const bool RepeatedRequestDoneAgain = false;

    /// <summary>A request that comes late meets the next topic of the name that it knows.</summary>
    public const bool LateCopyMeetsNextTopic = false;

    /// <summary>A look-up by time that finds a record below the log's start seeks no further.</summary>
    public const bool TimeFoundBelowStart = false;

    /// <summary>A member of an older generation still commits.</summary>
    public const bool FencedCommitAccepted = false;

    /// <summary>Members hear of a generation, and of their assignment, before it is written.</summary>
    public const bool GenerationToldBeforeWritten = false;

    /// <summary>A topic made anew finds the folder of its predecessor.</summary>
    public const bool OldIncarnationReplayed = false;

    /// <summary>While a membership is joint, the new half alone decides.</summary>
    public const bool JointQuorumOfNewHalf = false;

    /// <summary>What a learner holds counts for the commit.</summary>
    public const bool LearnerCounted = false;

    /// <summary>A replica is deleted as soon as it is not wanted any more, before the group has let it go.</summary>
    public const bool LeaverDeletedBeforeDone = false;

    /// <summary>A replica that comes later, or comes back, begins with the group's first membership, and believes it.</summary>
    public const bool FoundingMembershipForAll = false;

    /// <summary>A leader begins a change of the membership while another one is under way.</summary>
    public const bool ChangeUnderWayIgnored = false;

    /// <summary>A replica votes before it holds anything.</summary>
    public const bool PromotedWithoutCatchUp = false;

    /// <summary>A replica that was taken in again is deleted by an older state that it left the group.</summary>
    public const bool TakenInAgainDeleted = false;

    /// <summary>A replica that came back with nothing takes memberships of its predecessor, met in the log, for its own.</summary>
    public const bool FormerMembershipBelieved = false;

    /// <summary>A replica that comes back to a node knows nothing of the term in which its predecessor was let go.</summary>
    public const bool PredecessorsTermForgotten = false;

    /// <summary>Behind what a start says is lost of a group, it writes anew that an earlier loss was made up for.</summary>
    public const bool OlderWordOnLossKept = false;

    /// <summary>While the journal's queue in memory is full nothing is taken from a leader, not even what would commit what it is full of.</summary>
    public const bool FullQueueTakesNothing = false;

    /// <summary>A block of a replica's file that can't be read ends the node.</summary>
    public const bool ReadErrorEndsNode = false;

    /// <summary>Nobody misses a node that others hear: leaders stay where some are not heard.</summary>
    public const bool BrokenLinksIgnored = false;

    /// <summary>A node whose folder was emptied comes back under its old store id.</summary>
    public const bool EmptyFolderKeepsIdentity = false;

    /// <summary>A node registers with whatever folder it comes with: a new one, or an older copy of its own.</summary>
    public const bool AnyFolderRegistered = false;

    /// <summary>The cluster's feature level is one that all voters of the controller group know; nobody asks the other nodes.</summary>
    public const bool LevelOfVotersOnly = false;

    /// <summary>A node that leaves is removed while replicas are placed there.</summary>
    public const bool RemovedWithReplicas = false;

    /// <summary>Records are taken on a disk that has less room than is kept.</summary>
    public const bool RefusalForgotten = false;

    /// <summary>The reserve is given back once, and never made again.</summary>
    public const bool ReserveNotRemade = false;

    /// <summary>Replicas do not compare their states.</summary>
    public const bool DigestNotTold = false;

    /// <summary>A replica whose state diverged is fenced and stays so.</summary>
    public const bool DivergedKept = false;

    /// <summary>A checkpoint that finds no room ends the node.</summary>
    public const bool EnospcEndsNode = false;

    /// <summary>A disk that was full once counts as full for ever.</summary>
    public const bool RoomAgainNotNoticed = false;

    /// <summary>Batches are read from a segment without a look at their CRC.</summary>
    public const bool ReadUnverified = false;

    /// <summary>A damaged replica votes by what is left of its log, not by what it held.</summary>
    public const bool HeldForgotten = false;

    /// <summary>A damaged replica counts as whole as soon as it hears a leader.</summary>
    public const bool HealedTooEarly = false;

    /// <summary>A replica that lost term and vote follows and votes without asking the other voters for their terms.</summary>
    public const bool TermFloorIgnored = false;

    /// <summary>A start passes over journal bytes that can't be read with their table, as if nothing had been there.</summary>
    public const bool HoleBelieved = false;

    /// <summary>A batch of the journal that can't be read is taken for the torn end, whatever lies behind it.</summary>
    public const bool DamagedMiddleCutOff = false;

    /// <summary>A segment's index is taken without a look at its CRC.</summary>
    public const bool IndexTrustedUnverified = false;

    /// <summary>A failed fsync of the journal is called again, and its second answer believed.</summary>
    public const bool FsyncRetried = false;

    /// <summary>The vote of a new term follows its term in a record of its own, and is said with the first of them.</summary>
    public const bool VoteAndTermInTwoRecords = false;

    /// <summary>An old append cuts off what came after it, committed or not.</summary>
    public const bool TruncateBelowCommit = false;

    /// <summary>What is cut off the log keeps its offsets.</summary>
    public const bool NextOffsetKeptAcrossTruncation = false;
}
