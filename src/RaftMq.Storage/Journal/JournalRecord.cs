using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>
/// What one group wants made durable in one step: all of it becomes durable together or not at all. Replaying the records of a group
/// in order gives its state; inside one record the order is: hard state, reset, entries, segments durable, log base, commit, given up, healed, deleted. A hard state
/// replaces the former, entries replace whatever stood at and behind the first one's index and join what is there (the first of a new
/// group is index 1, or the one behind a reset or a durable mark), a reset drops all entries that stand before it, a deletion ends the
/// group.
/// </summary>
public sealed class JournalRecord
{
    public required GroupId Group { get; init; }

    public HardState? HardState { get; init; }

    /// <summary>
    /// Entries with ascending, gapless indexes, as they lie in the log tail. Their bytes must not change or go away until
    /// <see cref="IJournalWaiter.Written"/>.
    /// </summary>
    public IReadOnlyList<Entry> Entries { get; init; } = [];

    /// <summary>A lower bound of the commit index, so that start-up need not wait for a leader to flush what was committed. A hint.</summary>
    public LogIndex Commit { get; init; }

    /// <summary>Not null: the group's segments are fsynced up to here; the journal need not keep entries up to it.</summary>
    public LogIndex? SegmentsDurable { get; init; }

    /// <summary>
    /// Not null: a snapshot was installed, the log begins behind it. Every entry of the group that stands before this record is void,
    /// those behind the index too: a group that keeps some of them carries them in this record. Segments count as durable up to it.
    /// </summary>
    public (LogIndex Index, Term Term)? Reset { get; init; }

    /// <summary>
    /// Not null: retention cut the log, it begins behind this entry. Durable before the files below are deleted, so that a start can tell a
    /// file that was cut from one that is lost. It releases room on the disk but no journal file: <see cref="SegmentsDurable"/> does, once the
    /// files are gone.
    /// </summary>
    public LogIndex? LogBase { get; init; }

    /// <summary>
    /// The group does not run here because its files are damaged, and will release nothing. What the journal holds of it must not keep the
    /// journal's files from being used again: those files are put aside, and from here on the group's log ends where its segments do. How far it
    /// had reached is remembered until the group is healed. Nothing else may be said in the same record.
    /// </summary>
    public bool GivenUp { get; init; }

    /// <summary>What was recorded as lost of this group is made up for (<see cref="Ready.Healed"/>).</summary>
    public bool Healed { get; init; }

    /// <summary>The group was deleted; nothing of it is needed any more. Nothing else may be said in the same record.</summary>
    public bool Deleted { get; init; }

    /// <summary>Who is told; null when nobody waits.</summary>
    public IJournalWaiter? Waiter { get; init; }

    /// <summary>The waiter's own mark, given back to it.</summary>
    public PersistToken Token { get; init; }

    /// <summary>The same, reported to somebody else: for who stands between a group and the journal.</summary>
    public JournalRecord ReportedTo(IJournalWaiter waiter) => new()
    {
        Group = Group,
        HardState = HardState,
        Entries = Entries,
        Commit = Commit,
        SegmentsDurable = SegmentsDurable,
        Reset = Reset,
        LogBase = LogBase,
        GivenUp = GivenUp,
        Healed = Healed,
        Deleted = Deleted,
        Waiter = waiter,
        Token = Token,
    };
}

public interface IJournalWaiter
{
    /// <summary>
    /// The record is durable. Records are reported in the order in which they were appended, but that those that do nothing but release
    /// (a durable mark, a log's base, giving up, the end of a group) overtake the others where a journal has no room for these.
    /// </summary>
    void Written(JournalRecord record);

    /// <summary>
    /// The record's hard state is durable, and so are all earlier ones of the group; the record itself, and records before it, are not yet:
    /// hard states overtake what waits, so that elections never do. <see cref="Written"/> still follows. Not called for records whose hard
    /// state became durable together with them.
    /// </summary>
    void HardStateWritten(JournalRecord record)
    {
        // Most waiters have no hard state.
    }
}

/// <summary>
/// The way into the node's journal for the shards. Records become durable in the order of these calls, but for hard states and releases
/// (<see cref="IJournalWaiter"/>).
/// </summary>
public interface IJournal
{
    /// <summary>
    /// The journal wants no new entries now: who has a choice (a leader with a produce, a follower with an append) waits. Everything
    /// else is written all the same.
    /// </summary>
    bool IsFull { get; }

    /// <summary>It is full because the disk has no room for its next file.</summary>
    bool HasNoRoom { get; }

    /// <summary>Files in use are at <see cref="JournalOptions.HardBytesMax"/>: what is written all the same is too much for what is released.</summary>
    bool IsAtHardLimit { get; }

    void Append(JournalRecord record);

    /// <summary>Starts writing what was appended, unless a batch is already on its way.</summary>
    void Flush();
}

/// <summary>What the journal asks of the groups so that its oldest file can be recycled.</summary>
public interface IJournalOwner
{
    /// <summary>
    /// A file is due and still holds entries of this group up to <paramref name="upTo"/>. The group answers, in its own time, with
    /// <see cref="JournalRecord.SegmentsDurable"/> at or above it or, for entries that can't go to segments yet because they are not
    /// committed, with a record that carries those entries again: from the first such one through the group's last, in this one record,
    /// since entries replace everything behind them and a power cut between two records would lose what the first one replaced.
    /// Called once per file and group, while waiters are told; the group may append at once or later.
    /// </summary>
    void ReleaseWanted(GroupId group, LogIndex upTo);
}

/// <summary>Receives the journal's content at start, in the order in which it was written.</summary>
public interface IJournalReplay
{
    void HardState(GroupId group, HardState state);

    /// <summary>The bytes are valid during the call only. The journal has checked them against its blocks' CRCs.</summary>
    void Entries(GroupId group, IReadOnlyList<Entry> entries);

    void Commit(GroupId group, LogIndex commit);

    void SegmentsDurable(GroupId group, LogIndex index);

    /// <param name="keepsEntries">
    /// The record is lost, and a later one tells of it: of what was told before, entries behind the index may have come after it.
    /// </param>
    void Reset(GroupId group, LogIndex index, Term term, bool keepsEntries);

    /// <summary>The log begins behind this entry; a reset says so too, without this.</summary>
    void LogBase(GroupId group, LogIndex index);

    void Deleted(GroupId group);

    /// <summary>Entries that the journal held are not readable. Some of what follows may replace or release them.</summary>
    void Lost(GroupId group, LogIndex first, LogIndex last);

    /// <summary>
    /// Bytes of the journal are damaged together with their tables. Entries of this group that were told from here on may have been replaced
    /// there; the next call of <see cref="Lost"/>, <see cref="Entries"/> or <see cref="Settled"/> for it tells.
    /// </summary>
    void Suspect(GroupId group, LogIndex from);

    /// <summary>What was told of the group stands, in spite of <see cref="Suspect"/>.</summary>
    void Settled(GroupId group);

    /// <summary>
    /// The last call for a group of which something is lost: at this start, or at an earlier one and it was not healed since. Nothing
    /// was deleted.
    /// </summary>
    /// <param name="cutFrom">Not null: the log ends before this entry.</param>
    void Damaged(GroupId group, LogIndex? cutFrom, JournalDamage damage, string report);

    /// <summary>The groups that lie in the data folder.</summary>
    IEnumerable<GroupId> Groups { get; }

    /// <summary>The group lies in the data folder and has no segment and no checkpoint: so it never had any that was durable.</summary>
    bool HasNoFiles(GroupId group);
}
