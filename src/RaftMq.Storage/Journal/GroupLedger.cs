using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>What the journal's durable records say of one group: what a new file must repeat, and which files the group still needs.</summary>
internal sealed class GroupLedger
{
    private readonly EntryRuns _runs;
    private List<(LogIndex First, LogIndex Last)> _lost = [];

    public GroupLedger(GroupId group)
    {
        Group = group;
        _runs = new EntryRuns(this);
    }

    public GroupId Group { get; }

    public HardState? HardState { get; private set; }

    public LogIndex Commit { get; private set; }

    public LogIndex SegmentsDurable { get; private set; }

    public (LogIndex Index, Term Term)? Reset { get; private set; }

    /// <summary>The log begins behind this entry: a reset or retention put its beginning there.</summary>
    public LogIndex LogBase { get; private set; }

    /// <summary>The last entry that is in the journal or in segments. The next record's entries begin at most one behind it.</summary>
    public LogIndex LastIndex { get; private set; }

    /// <summary>Of <see cref="LastIndex"/>; zero where it is not known.</summary>
    public Term LastTerm { get; private set; }

    /// <summary>As <see cref="LastIndex"/>, with what is queued but not durable. Set by <see cref="NodeJournal.Append"/>.</summary>
    public LogIndex QueuedLastIndex { get; set; }

    public bool Deleted { get; private set; }

    /// <summary>Recorded and not over yet.</summary>
    public JournalDamage? Damage { get; private set; }

    /// <summary>
    /// A replay met bytes whose tables are lost, which may have replaced the entries known so far from here on, or added to them. Null: what
    /// is known of the group's entries is all there is.
    /// </summary>
    public LogIndex? SuspectFrom { get; private set; }

    /// <summary>
    /// As <see cref="SuspectFrom"/>, for <see cref="Damage"/>: an earlier start may have recorded that the log had reached further, or that term
    /// and vote are lost. Only a state tells; a hard state that was written since may itself be lower than what was once promised.
    /// </summary>
    public bool IsDamageSuspect { get; private set; }

    /// <summary>The newest file that names the group; a deleted group is forgotten when that file is recycled.</summary>
    public JournalFile? NewestFile { get; set; }

    /// <summary>Of a group that there is, all that the journal had said is lost.</summary>
    public bool IsUnknown => Damage is { StateLost: true };

    /// <summary>There is something to say of it where a file is opened.</summary>
    public bool IsKnown => !Deleted && (NewestFile is not null || Damage is not null || IsDamageSuspect);

    public IReadOnlyList<EntryRun> Runs => _runs.All;

    /// <summary><see cref="SuspectAll"/>, by this replay; it is recorded with the file that keeps what is left.</summary>
    private bool IsMissed => Damage is { StateLost: true, KeptBelowFile: 0 };

    /// <summary>This start cut the log before this entry; said in the first batch that it writes.</summary>
    public LogIndex? CutFrom { get; private set; }

    /// <summary>The first entry that no file holds; null when there is none.</summary>
    public LogIndex? FirstLost => _runs.FirstLost;

    public void Apply(in BatchRow row, JournalFile file)
    {
        NewestFile = file;
        if (Deleted)
        {
            return;
        }

        if (row.Has(RowParts.HardState))
        {
            HardState = row.HardState;
        }

        if (row.Has(RowParts.Reset))
        {
            _runs.DropFrom(LogIndex.Zero);
            SuspectFrom = null;
            Reset = (row.ResetIndex, row.ResetTerm);
            LastIndex = row.ResetIndex;
            LastTerm = row.ResetTerm;
            SegmentsDurable = row.ResetIndex;
            LogBase = row.ResetIndex;
            Commit = row.ResetIndex;
        }

        if (row.Has(RowParts.Entries))
        {
            Hold(row, file);
        }

        if (row.Has(RowParts.SegmentsDurable))
        {
            Release(row.SegmentsDurable);
        }

        if (row.Has(RowParts.LogBase))
        {
            // What lies before the beginning of the log is needed no more, and no loss where it is gone.
            LogBase = LogIndex.Max(LogBase, row.LogBase);
            Release(LogBase);
        }

        if (row.Has(RowParts.Commit))
        {
            Commit = LogIndex.Max(Commit, row.Commit);
        }

        if (row.Has(RowParts.Cut))
        {
            CutAt(row.CutFrom);
        }

        // Both speak of what an earlier start had found, not of what this replay misses.
        if (row.Has(RowParts.Damaged) && !IsMissed)
        {
            Damage = row.Damage;
        }

        if (row.Has(RowParts.Healed) && !IsMissed)
        {
            Damage = null;
        }

        if (row.Has(RowParts.Deleted))
        {
            Deleted = true;
            _runs.DropFrom(LogIndex.Zero);
        }
    }

    /// <summary>
    /// The entries from here on were written again to another file. What the group has does not change by that, only where it is.
    /// </summary>
    public void Carry(LogIndex first, JournalFile file)
    {
        if (_runs.Last < first)
        {
            return;
        }

        Invariant.Holds(_runs.Last == LastIndex);
        _runs.DropFrom(first);
        _runs.Add(first, LastIndex, file);
    }

    /// <summary>
    /// The state of the group as a file's opening tells it. After a hole in the journal it also tells what went with that: by the log's end,
    /// since two logs whose last entries have one index and term are the same (Raft 5.3).
    /// </summary>
    /// <param name="row">Without what this ledger knows already.</param>
    public void ApplyState(in BatchRow row, in BatchRow whole, JournalFile file)
    {
        // Where nothing was known of the group, a state tells all that its writer knew, and that this is still nothing.
        bool isUnknown = IsUnknown;
        bool isNew = NewestFile is null;
        LogIndex? suspectFrom = isUnknown ? LogIndex.Zero : SuspectFrom;
        bool isSameLog = !isUnknown && LastIndex == whole.EndIndex && LastTerm == whole.EndTerm && LastTerm > Term.Zero && !row.Has(RowParts.Reset);
        Apply(row, file);
        IsDamageSuspect = false;
        Damage = whole.Has(RowParts.Damaged) ? whole.Damage : null;
        if (!isNew && suspectFrom is null)
        {
            return;
        }

        if (isNew || !isSameLog)
        {
            // Of a new group's entries none was met, and of one whose reset was lost all that was met is void: they are found further on, in a
            // segment or written again, or they are lost.
            LogIndex from = LogIndex.Max(row.Has(RowParts.Reset) ? LogIndex.Zero : suspectFrom ?? LogIndex.Zero, SegmentsDurable.Next);

            // A log that was given up ends even before what had been committed.
            LogIndex dropped = LogIndex.Min(from, LogIndex.Max(whole.EndIndex, SegmentsDurable).Next);
            _runs.DropFrom(dropped, isKept: true);
            if (!isNew)
            {
                _lost.Add((dropped, dropped.Previous));
            }

            Lose(from, whole.EndIndex);
            LastIndex = LogIndex.Max(whole.EndIndex, SegmentsDurable);
            LastTerm = LastIndex == whole.EndIndex ? whole.EndTerm : Term.Zero;
        }

        SuspectFrom = null;
    }

    /// <summary>The log was reset here by a record that is lost; what is known of entries behind the index came after it.</summary>
    public void ResetBefore(LogIndex index, Term term)
    {
        Reset = (index, term);
        LogBase = LogIndex.Max(LogBase, index);
        Release(index);
    }

    /// <summary>Bytes of the journal are damaged together with their tables: they may have said anything of this group.</summary>
    public void Suspect()
    {
        IsDamageSuspect = true;
        SuspectFrom ??= LogIndex.Min(LogIndex.Max(Commit, SegmentsDurable), LastIndex).Next;
    }

    /// <summary>A group that is met for the first time behind a hole: nothing is known of it, but that nothing of it ever left the journal.</summary>
    public void SuspectFromFirst()
    {
        IsDamageSuspect = true;
        SuspectFrom = LogIndex.Zero.Next;
    }

    /// <summary>As <see cref="SuspectFromFirst"/>, and what its files hold says nothing without the journal.</summary>
    public void SuspectAll()
    {
        Damage = new JournalDamage(Held: null, HardStateLost: true, StateLost: true, KeptBelowFile: 0);
    }

    /// <summary>Entries that a row told of, and that can't be read.</summary>
    public void LoseEntries(in BatchRow row)
    {
        CloseSuspicion(row.FirstIndex);
        _runs.DropFrom(row.FirstIndex);
        Lose(row.FirstIndex, row.LastIndex);
        LastIndex = row.LastIndex;
        LastTerm = row.LastTerm;
    }

    /// <summary>What the journal held of the group can't or need not be kept: the end of it is all that is remembered, until it is healed.</summary>
    public BatchRow GiveUp(long keptBelowFile) => new()
    {
        Group = Group,
        Parts = RowParts.Cut | RowParts.Damaged,
        CutFrom = _runs.First ?? LastIndex.Next,
        Damage = JournalDamage.Of(LastTerm > Term.Zero ? new LogPosition(LastTerm, LastIndex) : null, hardStateLost: false, keptBelowFile)
            .With(Damage),
    };

    /// <summary>
    /// What a replay found lost since the last call: all that stood from the first index of a pair on is void, up to the second one nothing is
    /// there.
    /// </summary>
    public IReadOnlyList<(LogIndex First, LogIndex Last)> TakeLost()
    {
        if (_lost.Count == 0)
        {
            return [];
        }

        List<(LogIndex, LogIndex)> taken = _lost;
        _lost = [];
        return taken;
    }

    /// <summary>
    /// The journal was read to its end. What no file holds then is lost: the log is cut before it, and what had been there is remembered
    /// with what an earlier start found.
    /// </summary>
    public void Conclude(long keptBelowFile, out LogIndex? cutFrom)
    {
        cutFrom = null;
        if (Damage is { StateLost: true } unknown)
        {
            Damage = unknown with { KeptBelowFile = unknown.KeptBelowFile > 0 ? unknown.KeptBelowFile : keptBelowFile };
            return;
        }

        LogPosition? held = LastTerm > Term.Zero && !IsDamageSuspect ? new LogPosition(LastTerm, LastIndex) : null;
        cutFrom = FirstLost is { } lost && !(SuspectFrom < lost) ? lost : SuspectFrom;
        if (cutFrom is null && !IsDamageSuspect)
        {
            return;
        }

        Damage = JournalDamage.Of(held, hardStateLost: IsDamageSuspect, keptBelowFile).With(Damage);
        IsDamageSuspect = false;
        SuspectFrom = null;
        CutFrom = cutFrom;
        if (cutFrom is { } cut)
        {
            CutAt(cut);
        }
    }

    /// <summary>The row that opens a file for this group, and, with where it was cut, the one that opens this start's generation.</summary>
    public BatchRow State(bool opensGeneration) => new()
    {
        Group = Group,
        Parts = RowParts.State
            | (HardState is null ? 0 : RowParts.HardState)
            | (HardState?.Vote is null ? 0 : RowParts.Vote)
            | (Commit > LogIndex.Zero ? RowParts.Commit : 0)
            | (SegmentsDurable > LogIndex.Zero ? RowParts.SegmentsDurable : 0)
            | (Reset is null ? 0 : RowParts.Reset)
            | (LogBase > (Reset?.Index ?? LogIndex.Zero) ? RowParts.LogBase : 0)
            | (LastIndex > LogIndex.Zero ? RowParts.LogEnd : 0)
            | (opensGeneration && CutFrom is not null ? RowParts.Cut : 0)
            | (Damage is null ? 0 : RowParts.Damaged),
        HardState = HardState ?? default,
        Commit = Commit,
        SegmentsDurable = SegmentsDurable,
        ResetIndex = Reset?.Index ?? default,
        ResetTerm = Reset?.Term ?? default,
        LogBase = LogBase,
        EndIndex = LastIndex,
        EndTerm = LastTerm,
        CutFrom = CutFrom ?? default,
        Damage = Damage ?? default,
    };

    private void Hold(in BatchRow row, JournalFile file)
    {
        (LogIndex first, LogIndex last) = (row.FirstIndex, row.LastIndex);
        Invariant.Holds(last >= first);
        CloseSuspicion(first);
        Lose(LastIndex.Next, first.Previous);
        _runs.DropFrom(first);
        LastIndex = last;
        LastTerm = row.LastTerm;
        if (last > SegmentsDurable)
        {
            _runs.AddOrExtend(first, last, file);
        }
    }

    /// <summary>Entries from <paramref name="next"/> on follow: the log had reached there, whatever stands before it.</summary>
    private void CloseSuspicion(LogIndex next)
    {
        if (SuspectFrom is not { } from)
        {
            return;
        }

        SuspectFrom = null;
        if (next > from)
        {
            _runs.DropFrom(from, isKept: true);
            Lose(from, next.Previous);
        }
    }

    private void Lose(LogIndex first, LogIndex last)
    {
        first = LogIndex.Max(first, SegmentsDurable.Next);
        if (last >= first)
        {
            _runs.DropFrom(first);
            _runs.Add(first, last, file: null);
            _lost.Add((first, last));
            LastIndex = last;
        }
    }

    private void CutAt(LogIndex from)
    {
        if (SuspectFrom >= from)
        {
            SuspectFrom = null;
        }

        _runs.DropFrom(from, isKept: true);
        _lost.Add((from, from.Previous));
        if (LastIndex >= from)
        {
            LastIndex = from.Previous;
            LastTerm = Term.Zero;
        }
    }

    private void Release(LogIndex upTo)
    {
        SegmentsDurable = LogIndex.Max(SegmentsDurable, upTo);
        if (SuspectFrom <= upTo)
        {
            SuspectFrom = upTo.Next;
        }

        if (upTo > LastIndex)
        {
            LastIndex = upTo;
            LastTerm = Term.Zero;
        }

        _runs.ReleaseUpTo(SegmentsDurable);
    }
}
