using RaftMq.Raft;

namespace RaftMq.Storage.Recovery;

/// <summary>Entries that the journal gave back and that are not in a segment yet, in memory of their own; with gaps where it lost some.</summary>
internal sealed class PendingEntries
{
    private const int ArenaBytes = 64 << 10;

    private readonly List<ReadOnlyMemory<byte>> _entries = [];
    private int _dropped;
    private int _lost;
    private byte[] _arena = [];
    private int _used;

    public LogIndex First { get; private set; } = LogIndex.Zero.Next;

    public int Count => _entries.Count - _dropped;

    public LogIndex Last => First + (Count - 1);

    public long SizeBytes { get; private set; }

    public ReadOnlyMemory<byte> this[LogIndex index] => _entries[_dropped + (int)(index - First)];

    public void Add(LogIndex index, ReadOnlySpan<byte> bytes)
    {
        if (Count == 0)
        {
            Clear();
            First = index;
        }

        Invariant.Holds(index == Last.Next);
        if (_arena.Length - _used < bytes.Length)
        {
            _arena = GC.AllocateUninitializedArray<byte>(Math.Max(ArenaBytes, bytes.Length));
            _used = 0;
        }

        bytes.CopyTo(_arena.AsSpan(_used));
        _entries.Add(_arena.AsMemory(_used, bytes.Length));
        _used += bytes.Length;
        SizeBytes += bytes.Length;
    }

    /// <summary>The first entry that is not there though ones behind it may be; null when all are.</summary>
    public LogIndex? FirstLost
    {
        get
        {
            if (_lost > 0)
            {
                for (int i = _dropped; i < _entries.Count; i++)
                {
                    if (_entries[i].IsEmpty)
                    {
                        return First + (i - _dropped);
                    }
                }
            }

            return null;
        }
    }

    /// <summary>Entries that there were, and that can't be read.</summary>
    public void AddLost(LogIndex first, LogIndex last)
    {
        if (Count == 0)
        {
            Clear();
            First = first;
        }

        Invariant.Holds(first == Last.Next);
        for (LogIndex index = first; index <= last; index = index.Next)
        {
            _entries.Add(default);
            _lost++;
        }
    }

    public void DropFrom(LogIndex index)
    {
        while (Count > 0 && Last >= index)
        {
            SizeBytes -= _entries[^1].Length;
            _lost -= _entries[^1].IsEmpty ? 1 : 0;
            _entries.RemoveAt(_entries.Count - 1);
        }
    }

    public void DropUpTo(LogIndex index)
    {
        while (Count > 0 && First <= index)
        {
            SizeBytes -= _entries[_dropped].Length;
            _lost -= _entries[_dropped].IsEmpty ? 1 : 0;
            _entries[_dropped++] = default;
            First = First.Next;
        }

        if (_dropped > 1024 && _dropped > _entries.Count / 2)
        {
            _entries.RemoveRange(0, _dropped);
            _dropped = 0;
        }
    }

    public void Clear()
    {
        _entries.Clear();
        _dropped = 0;
        _lost = 0;
        _arena = [];
        _used = 0;
        SizeBytes = 0;
    }
}
