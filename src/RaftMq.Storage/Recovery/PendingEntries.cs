using RaftMq.Raft;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Entries that the journal gave back and that are not in a segment yet, in memory of their own; with gaps where it lost some, which take none
/// however long they are.
/// </summary>
internal sealed class PendingEntries
{
    private const int ArenaBytes = 64 << 10;

    /// <summary>Without a hole between them: entries, and what is lost between some of them.</summary>
    private readonly List<Piece> _pieces = [];

    /// <summary>Pieces at the beginning that are no longer there.</summary>
    private int _dropped;

    /// <summary>Pieces that are gaps.</summary>
    private int _gaps;
    private byte[] _arena = [];
    private int _used;

    public LogIndex First { get; private set; } = LogIndex.Zero.Next;

    public LogIndex Last { get; private set; } = LogIndex.Zero;

    /// <summary>Lost ones too.</summary>
    public long Count => Last - First + 1;

    public long SizeBytes { get; private set; }

    public ReadOnlyMemory<byte> this[LogIndex index] => _pieces[_gaps == 0 ? _dropped + (int)(index - First) : PieceOf(index)].Bytes;

    public void Add(LogIndex index, ReadOnlySpan<byte> bytes)
    {
        Append(index, index);
        if (_arena.Length - _used < bytes.Length)
        {
            _arena = GC.AllocateUninitializedArray<byte>(Math.Max(ArenaBytes, bytes.Length));
            _used = 0;
        }

        bytes.CopyTo(_arena.AsSpan(_used));
        _pieces.Add(new Piece(index, index, _arena.AsMemory(_used, bytes.Length)));
        _used += bytes.Length;
        SizeBytes += bytes.Length;
    }

    /// <summary>The first entry that is not there though ones behind it may be; null when all are.</summary>
    public LogIndex? FirstLost
    {
        get
        {
            if (_gaps > 0)
            {
                for (int i = _dropped; i < _pieces.Count; i++)
                {
                    if (_pieces[i].IsGap)
                    {
                        return _pieces[i].First;
                    }
                }
            }

            return null;
        }
    }

    /// <summary>Entries that there were, and that can't be read.</summary>
    public void AddLost(LogIndex first, LogIndex last)
    {
        Append(first, last);
        _pieces.Add(new Piece(first, last, default));
        _gaps++;
    }

    public void DropFrom(LogIndex index)
    {
        while (Count > 0 && Last >= index)
        {
            Piece last = _pieces[^1];
            _pieces.RemoveAt(_pieces.Count - 1);
            if (last.First < index)
            {
                _pieces.Add(last with { Last = index.Previous });
                Last = index.Previous;
                return;
            }

            Forget(last);
            Last = last.First.Previous;
        }
    }

    public void DropUpTo(LogIndex index)
    {
        while (Count > 0 && First <= index)
        {
            Piece first = _pieces[_dropped];
            if (first.Last > index)
            {
                _pieces[_dropped] = first with { First = index.Next };
                First = index.Next;
                break;
            }

            Forget(first);
            _pieces[_dropped++] = default;
            First = first.Last.Next;
        }

        if (_dropped > 1024 && _dropped > _pieces.Count / 2)
        {
            _pieces.RemoveRange(0, _dropped);
            _dropped = 0;
        }
    }

    public void Clear()
    {
        _pieces.Clear();
        _dropped = 0;
        _gaps = 0;
        _arena = [];
        _used = 0;
        SizeBytes = 0;
        Last = First.Previous;
    }

    private void Append(LogIndex first, LogIndex last)
    {
        if (Count == 0)
        {
            Clear();
            First = first;
            Last = first.Previous;
        }

        Invariant.Holds(first == Last.Next);
        Invariant.Holds(last >= first);
        Last = last;
    }

    private void Forget(in Piece piece)
    {
        SizeBytes -= piece.Bytes.Length;
        _gaps -= piece.IsGap ? 1 : 0;
    }

    private int PieceOf(LogIndex index)
    {
        int low = _dropped;
        int high = _pieces.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            (low, high) = _pieces[middle].First <= index ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    /// <param name="Bytes">Empty: lost, and so are all up to <paramref name="Last"/>.</param>
    private readonly record struct Piece(LogIndex First, LogIndex Last, ReadOnlyMemory<byte> Bytes)
    {
        public bool IsGap => Bytes.IsEmpty;
    }
}
