using RaftMq.Raft;

namespace RaftMq.Storage.Checkpoints;

/// <summary>A base checkpoint that is there, whole or not.</summary>
internal sealed class BaseCheckpoint(LogIndex index, Term term, Membership? membership)
{
    /// <summary>The last entry that it contains: the one before its segment's first.</summary>
    public LogIndex Index { get; } = index;

    public Term Term { get; } = term;

    /// <summary>In force there; null where the file is damaged.</summary>
    public Membership? Membership { get; } = membership;

    public bool IsDurable { get; set; }

    /// <summary>
    /// Its hash did not fit. It is kept, never served, and its log is not cut to it (D-06), until another replica's takes its place.
    /// </summary>
    public bool IsDamaged { get; set; }

    /// <summary>Followers that are being sent it: the file must stay.</summary>
    public int Readers { get; set; }
}

/// <summary>The checkpoints of one group.</summary>
internal sealed class CheckpointSet
{
    private readonly List<BaseCheckpoint> _bases = [];

    /// <summary>Ascending.</summary>
    public IReadOnlyList<BaseCheckpoint> Bases => _bases;

    /// <summary>Durable; null while there is none.</summary>
    public LogIndex? Newest { get; set; }

    public BaseCheckpoint? BaseAt(LogIndex index)
    {
        foreach (BaseCheckpoint candidate in _bases)
        {
            if (candidate.Index == index)
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>Before the very first entry nothing is known and nothing needs a file.</summary>
    public bool IsUsable(LogIndex index) =>
        index == LogIndex.Zero || BaseAt(index) is { IsDurable: true, IsDamaged: false };

    public void Add(BaseCheckpoint checkpoint)
    {
        int at = _bases.Count;
        while (at > 0 && _bases[at - 1].Index > checkpoint.Index)
        {
            at--;
        }

        _bases.Insert(at, checkpoint);
    }

    public void Remove(BaseCheckpoint checkpoint) => _bases.Remove(checkpoint);

    public void Clear()
    {
        _bases.Clear();
        Newest = null;
    }
}
