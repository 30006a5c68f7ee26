using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>Entries of one group in one file that nothing newer replaced and no segment holds durably.</summary>
/// <param name="File">Null: no file holds them. Unless something behind replaces or releases them, they are lost.</param>
internal readonly record struct EntryRun(LogIndex First, LogIndex Last, JournalFile? File);

/// <summary>
/// Which files hold the entries of one group: ascending and disjoint, in ascending files, as what is appended replaces everything at and behind its first index.
/// Each run holds its file back from being used again.
/// </summary>
internal sealed class EntryRuns(GroupLedger holder)
{
    private readonly List<EntryRun> _runs = [];

    public IReadOnlyList<EntryRun> All => _runs;

    /// <summary>Null: there are none.</summary>
    public LogIndex? First => _runs.Count > 0 ? _runs[0].First : null;

    /// <summary>Zero: there are none.</summary>
    public LogIndex Last => _runs.Count > 0 ? _runs[^1].Last : LogIndex.Zero;

    /// <summary>The first entry that no file holds; null when there is none.</summary>
    public LogIndex? FirstLost
    {
        get
        {
            foreach (EntryRun run in _runs)
            {
                if (run.File is null)
                {
                    return run.First;
                }
            }

            return null;
        }
    }

    /// <param name="first">Behind all that are there.</param>
    /// <param name="file">Null: none holds them.</param>
    public void Add(LogIndex first, LogIndex last, JournalFile? file)
    {
        _runs.Add(new EntryRun(first, last, file));
        if (file is not null)
        {
            file.NeededRuns++;
            file.Holders.Add(holder);
        }
    }

    /// <summary>As the other, where the last ones may lie in the same file.</summary>
    public void AddOrExtend(LogIndex first, LogIndex last, JournalFile file)
    {
        if (_runs.Count > 0 && ReferenceEquals(_runs[^1].File, file))
        {
            _runs[^1] = _runs[^1] with { Last = last };
        }
        else
        {
            Add(first, last, file);
        }
    }

    /// <summary>Segments hold them durably up to here.</summary>
    public void ReleaseUpTo(LogIndex index)
    {
        int released = 0;
        while (released < _runs.Count && _runs[released].Last <= index)
        {
            Let(_runs[released++].File);
        }

        _runs.RemoveRange(0, released);
        if (_runs.Count > 0 && _runs[0].First <= index)
        {
            _runs[0] = _runs[0] with { First = index.Next };
        }
    }

    /// <param name="isKept">The files are kept as they are: what is in them is all that is left of something that was lost.</param>
    public void DropFrom(LogIndex first, bool isKept = false)
    {
        while (_runs.Count > 0 && _runs[^1].First >= first)
        {
            Let(_runs[^1].File, isKept);
            _runs.RemoveAt(_runs.Count - 1);
        }

        if (_runs.Count > 0 && _runs[^1].Last >= first)
        {
            _runs[^1].File?.IsKept |= isKept;
            _runs[^1] = _runs[^1] with { Last = first.Previous };
        }
    }

    private static void Let(JournalFile? file, bool isKept = false)
    {
        if (file is not null)
        {
            file.NeededRuns--;
            file.IsKept |= isKept;
            Invariant.Holds(file.NeededRuns >= 0);
        }
    }
}
