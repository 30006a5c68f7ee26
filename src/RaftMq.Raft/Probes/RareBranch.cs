namespace RaftMq.Raft;

/// <summary>Places that only rare histories lead to. A simulator that never reaches one of them tests nothing there.</summary>
public enum RareBranch
{
    /// <summary>A follower cut entries that conflict with the leader's (Raft 5.3).</summary>
    ConflictTruncated,

    /// <summary>A cut met a write that was on its way to the disk .</summary>
    WriteInFlightVoided,

    /// <summary>A majority held entries of earlier terms, which a leader does not commit by counting (Raft 5.4.2).</summary>
    OldTermHeldBack,

    /// <summary>A snapshot was offered to a follower that had all of it (Raft 7).</summary>
    SnapshotOfKnownEntries,

    /// <summary>A candidate heard that somebody else had won its term.</summary>
    OtherLeaderOfTerm,

    /// <summary>A message of a former life of its sender came late.</summary>
    FormerBootDropped,

    /// <summary>A leader whose disk did not answer gave its place up.</summary>
    SteppedAside,

    /// <summary>A start cut a last batch that was not whole.</summary>
    TornBatchCut,

    /// <summary>A start mended a bad block, or read a batch by the second copy of its header.</summary>
    BlockMended,

    /// <summary>A start wrote the last batch anew, as it was not known to be durable.</summary>
    LastBatchWrittenAnew,

    /// <summary>A start took the place of a generation that had said nothing.</summary>
    GenerationReplaced,

    /// <summary>A journal file was used again.</summary>
    FileRecycled,

    /// <summary>The next journal file was too small for its first batch.</summary>
    NextFileEnlarged,

    /// <summary>The journal was full, and what releases its files overtook what waited.</summary>
    OvertakingBatch,

    /// <summary>Entries that waited for a full journal were in segments by the time that there was room.</summary>
    ReleasedWhileWaiting,

    /// <summary>A journal file was due that held uncommitted entries: they were written again.</summary>
    EntriesCarriedAgain,

    /// <summary>A start found two newest checkpoints: a crash came between writing one and deleting the other.</summary>
    NewestCheckpointLeftOver,

    /// <summary>A checkpoint waited for its log to be durable .</summary>
    CheckpointWaited,

    /// <summary>There was no room for a checkpoint.</summary>
    CheckpointWithoutRoom,

    /// <summary>An installed snapshot took a log's place.</summary>
    SnapshotInstalled,

    /// <summary>A snapshot was not whole, or too late.</summary>
    SnapshotRefused,

    /// <summary>A start found an installed snapshot that had not got its name.</summary>
    InstallFoundAtStart,

    /// <summary>A batch came again that was committed.</summary>
    DuplicateOfStored,

    /// <summary>A batch came again that was on its way.</summary>
    DuplicateOfInFlight,

    /// <summary>A sequence was refused after a quorum had confirmed the leader.</summary>
    RefusalConfirmed,

    /// <summary>A send was refused whose entry another leadership decides upon.</summary>
    OrphanRefused,

    /// <summary>An offset above the log was refused after a quorum had confirmed the leader.</summary>
    ReadAboveEndConfirmed,

    /// <summary>Retention let whole segments go.</summary>
    RetentionTookSegments,

    /// <summary>Retention let all of a log go, as no record was young enough.</summary>
    RetentionTookAll,

    /// <summary>The controller was asked again what it was carrying out, or had carried out.</summary>
    RequestRepeated,

    /// <summary>Of a file that was looked through for a time only what is gone was so young.</summary>
    TimeSoughtFurther,

    /// <summary>A follower with a full journal took a small append all the same.</summary>
    AppendTakenWhenFull,

    /// <summary>A full follower let go what the others had committed without it.</summary>
    FullFollowerLeftBehind,

    /// <summary>A group did not start, as its data was damaged.</summary>
    QuarantinedAtStart,

    /// <summary>A group started though the journal lost some of it.</summary>
    StartedWithLoss,

    /// <summary>What the journal had lost of a group was made up for.</summary>
    Healed,

    /// <summary>A segment's base was made anew while a start replayed.</summary>
    BaseTakenInReplay,

    /// <summary>A learner refused what it had acknowledged: its replica was deleted and made anew.</summary>
    LearnerBeganAnew,

    /// <summary>A leader handed over before a membership without it.</summary>
    LeaverHandedOver,

    /// <summary>A leader found members that the cluster's state, with no movement under way, does not want.</summary>
    MembershipMended,

    /// <summary>A replica that the cluster's state here does not want stayed: its log says that it was taken in again since.</summary>
    LeaverTakenInAgain,

    /// <summary>A movement waited for others on its node.</summary>
    MovementWaited,

    /// <summary>The reserve gave its room back.</summary>
    ReserveReleased,

    /// <summary>A start found no room for a whole journal file, or for any.</summary>
    OpenedWithoutRoom,

    /// <summary>A journal past its hard limit took a file all the same, as nothing else went on.</summary>
    FilePastHardLimit,

    /// <summary>A follower with little room left took no records, as its group goes on without it.</summary>
    FullFollowerHeldOff,

    /// <summary>A leader with room refused records, as too many of its followers have none.</summary>
    FullMajorityRefused,

    /// <summary>A damaged checkpoint of the newest kind was given up: an older one and the log say the same.</summary>
    DamagedNewestDropped,

    /// <summary>A checkpoint above the end of a log that the journal's damage cut was given up.</summary>
    CheckpointBeyondCutDropped,

    /// <summary>A damaged file was replaced by what another replica has.</summary>
    FileMended,

    /// <summary>A group that had not started for damage was mended and started.</summary>
    MendedGroupStarted,

    /// <summary>A replica's state was found to be another than a majority's.</summary>
    StateDiverged,

    /// <summary>A replica made its state again from its own log.</summary>
    StateRebuilt,

    /// <summary>A replica that can't be mended was taken out of its group to come back without anything.</summary>
    ReplicaMadeAnew,

    /// <summary>What was damaged is behind the log's start everywhere else: the log begins there here too.</summary>
    RepairBehindLogStart,

    /// <summary>The journal knew less of a group's segments than what a repair had put in place.</summary>
    RepairedMarkTold,

    /// <summary>Who was asked for a repair has damage at the same place.</summary>
    RepairRefusedAsDamaged,

    /// <summary>The scrub found a file that is not what was written.</summary>
    ScrubFoundDamage,

    /// <summary>The scrub made a damaged index anew.</summary>
    ScrubMadeIndex,

    /// <summary>A group that did not start carried its entries to a newer file of the journal.</summary>
    QuarantinedCarried,

    /// <summary>A group that did not start itself gave entries to another replica's repair.</summary>
    QuarantinedGaveEntries,
}
