using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>The checkpoints of one group's folder, each whole or known as damaged; damaged ones stay where they are (D-06).</summary>
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

    /// <summary>The one of the newest kind that is whole.</summary>
    public LogIndex? Newest { get; private set; }

    /// <param name="last">The log ends here: none is above .</param>
    /// <exception cref="DamagedException">One is.</exception>
    public static FoundCheckpoints Read(IDisk disk, GroupId group, GroupFolder folder, LogIndex last)
    {
        FoundCheckpoints found = new();
        found.ReadNewest(disk, group, folder, last);
        foreach (LogIndex index in folder.Bases)
        {
            Checkpoint? whole = CheckpointFile.TryRead(disk, CheckpointFile.Path(folder.Path, CheckpointKind.Base, index), group);
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
            if (index > LogIndex.Zero && index >= baseIndex && index < Applied && !_bases.ContainsKey(index))
            {
                known.Add(new BaseCheckpoint(index, Term.Zero, membership: null) { IsDurable = true, IsDamaged = true });
            }
        }

        return known;
    }

    private void ReadNewest(IDisk disk, GroupId group, GroupFolder folder, LogIndex last)
    {
        foreach (LogIndex index in folder.Newest.ToArray().Reverse())
        {
            Checkpoint? read = CheckpointFile.TryRead(disk, CheckpointFile.Path(folder.Path, CheckpointKind.Newest, index), group);
            if (read is null)
            {
                continue;
            }

            if (index > last)
            {
                throw new DamagedException($"a checkpoint is of {index} but the log ends at {last}");
            }

            if (Best is not null)
            {
                // A crash came between the newer one and the end of this.
                folder.DeleteCheckpoint(CheckpointKind.Newest, index);
                continue;
            }

            Best = read;
            Newest = index;
        }
    }
}
