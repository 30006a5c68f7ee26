using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>Entries of one group in one file that nothing newer replaced and no segment holds durably.</summary>
internal readonly record struct EntryRun(LogIndex First, LogIndex Last, JournalFile File);

/// <summary>What the journal's durable records say of one group: what a new file must repeat, and which files the group still needs.</summary>
internal sealed class GroupLedger(GroupId group)
{
    /// <summary>Ascending and disjoint, in ascending files: what is appended replaces everything at and behind its first index.</summary>
    private readonly List<EntryRun> _runs = [];

    public GroupId Group { get; } = group;

    public HardState? HardState { get; private set; }

    public LogIndex Commit { get; private set; }

    public LogIndex SegmentsDurable { get; private set; }

    public (LogIndex Index, Term Term)? Reset { get; private set; }

    /// <summary>The log begins behind this entry: a reset or retention put its beginning there.</summary>
    public LogIndex LogBase { get; private set; }

    /// <summary>The last entry that is in the journal or in segments. The next record's entries begin at most one behind it.</summary>
    public LogIndex LastIndex { get; private set; }

    /// <summary>As <see cref="LastIndex"/>, with what is queued but not durable. Set by <see cref="NodeJournal.Append"/>.</summary>
    public LogIndex QueuedLastIndex { get; set; }

    public bool Deleted { get; private set; }

    public bool Damaged { get; private set; }

    /// <summary>The newest file that names the group; a deleted group is forgotten when that file is recycled.</summary>
    public JournalFile? NewestFile { get; set; }

    public IReadOnlyList<EntryRun> Runs => _runs;

    /// <summary>
    /// Whether entries from here on can stand behind what there is. Without a run anything can: in a replay that begins at a later file
    /// the first entries met may lie behind ones that a record further on releases or carries again. <see cref="HasGap"/> tells at the end.
    /// </summary>
    public bool CanHold(LogIndex first) => first <= LastIndex.Next || _runs.Count == 0;

    /// <summary>There are entries, and the one that must stand before them is neither here nor in a segment.</summary>
    public bool HasGap => _runs.Count > 0 && _runs[0].First > SegmentsDurable.Next;

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
            DropRunsFrom(LogIndex.Zero);
            Reset = (row.ResetIndex, row.ResetTerm);
            LastIndex = row.ResetIndex;
            SegmentsDurable = row.ResetIndex;
            LogBase = row.ResetIndex;
            Commit = row.ResetIndex;
        }

        if (row.Has(RowParts.Entries))
        {
            Hold(row.FirstIndex, row.LastIndex, file);
        }

        if (row.Has(RowParts.SegmentsDurable))
        {
            Release(row.SegmentsDurable);
        }

        if (row.Has(RowParts.LogBase))
        {
            LogBase = LogIndex.Max(LogBase, row.LogBase);
        }

        if (row.Has(RowParts.Commit))
        {
            Commit = LogIndex.Max(Commit, row.Commit);
        }

        if (row.Has(RowParts.Damaged))
        {
            MarkDamaged();
        }

        if (row.Has(RowParts.Deleted))
        {
            Deleted = true;
            DropRunsFrom(LogIndex.Zero);
        }
    }

    /// <summary>
    /// The entries from here on were written again to another file. What the group has does not change by that, only where it is.
    /// </summary>
    public void Carry(LogIndex first, JournalFile file)
    {
        LogIndex last = LastIndex;
        if (_runs.Count == 0 || _runs[^1].Last < first)
        {
            return;
        }

        Invariant.Holds(_runs[^1].Last == last);
        DropRunsFrom(first);
        Add(new EntryRun(first, last, file));
    }

    public void MarkDamaged()
    {
        if (Damaged)
        {
            return;
        }

        Damaged = true;
        foreach (EntryRun run in _runs)
        {
            run.File.DamagedRuns++;
        }
    }

    /// <summary>The row that opens a file for this group.</summary>
    public BatchRow State() => new()
    {
        Group = Group,
        Parts = RowParts.State
            | (HardState is null ? 0 : RowParts.HardState)
            | (HardState?.Vote is null ? 0 : RowParts.Vote)
            | (Commit > LogIndex.Zero ? RowParts.Commit : 0)
            | (SegmentsDurable > LogIndex.Zero ? RowParts.SegmentsDurable : 0)
            | (Reset is null ? 0 : RowParts.Reset)
            | (LogBase > (Reset?.Index ?? LogIndex.Zero) ? RowParts.LogBase : 0)
            | (Damaged ? RowParts.Damaged : 0),
        HardState = HardState ?? default,
        Commit = Commit,
        SegmentsDurable = SegmentsDurable,
        ResetIndex = Reset?.Index ?? default,
        ResetTerm = Reset?.Term ?? default,
        LogBase = LogBase,
    };

    private void Hold(LogIndex first, LogIndex last, JournalFile file)
    {
        Invariant.Holds(CanHold(first) || Damaged);
        Invariant.Holds(last >= first);
        DropRunsFrom(first);
        LastIndex = last;
        if (last <= SegmentsDurable)
        {
            return;
        }

        if (_runs.Count > 0 && ReferenceEquals(_runs[^1].File, file))
        {
            _runs[^1] = _runs[^1] with { Last = last };
            return;
        }

        Add(new EntryRun(first, last, file));
    }

    private void Add(in EntryRun run)
    {
        _runs.Add(run);
        run.File.NeededRuns++;
        run.File.DamagedRuns += Damaged ? 1 : 0;
        run.File.Holders.Add(this);
    }

    private void Release(LogIndex upTo)
    {
        SegmentsDurable = LogIndex.Max(SegmentsDurable, upTo);
        LastIndex = LogIndex.Max(LastIndex, upTo);
        int released = 0;
        while (released < _runs.Count && _runs[released].Last <= SegmentsDurable)
        {
            Let(_runs[released++].File);
        }

        _runs.RemoveRange(0, released);
    }

    private void DropRunsFrom(LogIndex first)
    {
        while (_runs.Count > 0 && _runs[^1].First >= first)
        {
            Let(_runs[^1].File);
            _runs.RemoveAt(_runs.Count - 1);
        }

        if (_runs.Count > 0 && _runs[^1].Last >= first)
        {
            _runs[^1] = _runs[^1] with { Last = first.Previous };
        }
    }

    private void Let(JournalFile file)
    {
        file.NeededRuns--;
        file.DamagedRuns -= Damaged ? 1 : 0;
        Invariant.Holds(file.NeededRuns >= 0);
        Invariant.Holds(file.DamagedRuns >= 0);
    }
}
