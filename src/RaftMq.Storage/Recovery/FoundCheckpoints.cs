using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// The checkpoints of one group's folder, each whole or known as damaged (D-06). A damaged base stays where it is until another replica's takes its
/// place; a damaged one of the newest kind goes when the group starts without it, and so does what is above the end of a log that was cut: nobody would
/// look at those files again, and the log gets there once more.
/// </summary>
internal sealed class FoundCheckpoints
{
    /// <summary>Null where the file is not whole.</summary>
    private readonly SortedDictionary<LogIndex, Checkpoint?> _bases = [];

    private FoundCheckpoints()
    {
    }

    /// <summary>What the state machine begins with: the highest that is whole, of either kind. Null: with its empty state.</summary>
    public Checkpoint? Best { get; private set; }

    /// <summary>The last entry that <see cref="Best"/> contains.</summary>
    public LogIndex Applied => Best?.Head.LastIndex ?? LogIndex.Zero;

    /// <summary>Of the newest kind, and not whole.</summary>
    private readonly List<LogIndex> _damagedNewest = [];

    /// <summary>Above the end of the log, because the rest of it is lost.</summary>
    private readonly List<(CheckpointKind Kind, LogIndex Index)> _beyond = [];

    /// <summary>The one of the newest kind that is whole.</summary>
    public LogIndex? Newest { get; private set; }

    /// <param name="last">The log ends here: none is above .</param>
    /// <param name="isCut">It does because the rest is lost; then there may be, and they are of no use.</param>
    /// <exception cref="DamagedException">One is.</exception>
    public static FoundCheckpoints Read(IDisk disk, GroupId group, GroupFolder folder, LogIndex last, bool isCut = false)
    {
        FoundCheckpoints found = new();
        found.ReadNewest(disk, group, folder, last, isCut);
        foreach (LogIndex index in folder.Bases)
        {
            if (index > last && isCut)
            {
                found._beyond.Add((CheckpointKind.Base, index));
                continue;
            }

            Checkpoint? whole = CheckpointFile.TryRead(disk, folder.Path, CheckpointKind.Base, index, group);
            found._bases[index] = whole;
            if (whole is not null && index > last)
            {
                throw new DamagedException($"a base checkpoint is of {index} but the log ends at {last}");
            }

            if (whole is not null && (found.Best is null || index > found.Applied))
            {
                found.Best = whole;
            }
        }

        return found;
    }

    /// <summary>The term of a base's last entry; null without a whole one.</summary>
    public Term? TermAt(LogIndex index) => _bases.GetValueOrDefault(index)?.Head.LastTerm;

    /// <summary>A segment begins behind this entry, and its base was durable once.</summary>
    /// <param name="logBase">The log begins behind this entry.</param>
    /// <param name="applied">Of the newest checkpoint or base, which never passes a segment without a durable base.</param>
    public static bool MustHaveBase(LogIndex index, LogIndex logBase, LogIndex applied) =>
        index > LogIndex.Zero && index >= logBase && index < applied;

    public List<BaseCheckpoint> KnownBases(List<Segment> segments, LogIndex baseIndex)
    {
        List<BaseCheckpoint> known = [];
        foreach ((LogIndex index, Checkpoint? whole) in _bases)
        {
            known.Add(new BaseCheckpoint(index, whole?.Head.LastTerm ?? Term.Zero, whole?.Head.Membership)
            {
                IsDurable = true,
                IsDamaged = whole is null,
            });
        }

        // The newest checkpoint passed these boundaries, so their bases were durable once: a lost file is damage, not "never taken".
        foreach (Segment segment in segments)
        {
            LogIndex index = segment.First.Previous;
            if (MustHaveBase(index, baseIndex, Applied) && !_bases.ContainsKey(index))
            {
                known.Add(new BaseCheckpoint(index, Term.Zero, membership: null) { IsDurable = true, IsDamaged = true });
            }
        }

        return known;
    }

    /// <summary>
    /// The group starts without them: an older checkpoint and the log say the same. No replica has another of these, and the next one is written
    /// under its own name.
    /// </summary>
    /// <param name="logBase">Bases below are needed by nobody.</param>
    public void DropUseless(GroupFolder folder, LogIndex logBase)
    {
        foreach (LogIndex index in _bases.Where(known => known.Value is null && known.Key < logBase).Select(static known => known.Key).ToArray())
        {
            _bases.Remove(index);
            folder.DeleteCheckpoint(CheckpointKind.Base, index);
        }

        foreach (LogIndex index in _damagedNewest)
        {
            Probe.Reached(RareBranch.DamagedNewestDropped);
            folder.DeleteCheckpoint(CheckpointKind.Newest, index);
        }

        foreach ((CheckpointKind kind, LogIndex index) in _beyond)
        {
            Probe.Reached(RareBranch.CheckpointBeyondCutDropped);
            folder.DeleteCheckpoint(kind, index);
        }

        _damagedNewest.Clear();
        _beyond.Clear();
    }

    private void ReadNewest(IDisk disk, GroupId group, GroupFolder folder, LogIndex last, bool isCut)
    {
        foreach (LogIndex index in folder.Newest.ToArray().Reverse())
        {
            if (index > last && isCut)
            {
                _beyond.Add((CheckpointKind.Newest, index));
                continue;
            }

            Checkpoint? read = CheckpointFile.TryRead(disk, folder.Path, CheckpointKind.Newest, index, group);
            if (read is null)
            {
                _damagedNewest.Add(index);
                continue;
            }

            if (index > last)
            {
                throw new DamagedException($"a checkpoint is of {index} but the log ends at {last}");
            }

            if (Best is not null)
            {
                // A crash came between the newer one and the end of this.
                Probe.Reached(RareBranch.NewestCheckpointLeftOver);
                folder.DeleteCheckpoint(CheckpointKind.Newest, index);
                continue;
            }

            Best = read;
            Newest = index;
        }
    }
}
