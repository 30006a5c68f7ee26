using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Segments;

/// <summary>The segments of one group, ascending, without a gap between them.</summary>
internal sealed class SegmentSet
{
    /// <summary>Sealed segments whose points stay in memory: 64 KiB each at the default size.</summary>
    public const int LoadedIndexesMax = 4;

    /// <summary>A scan reads the segment in pieces of this size.</summary>
    public const int ScanReadBytes = 1 << 20;

    private readonly List<Segment> _segments = [];

    /// <summary>Sealed segments with points in memory, the one used last at the end.</summary>
    private readonly List<Segment> _loaded = [];

    public IReadOnlyList<Segment> All => _segments;

    public Segment? Last => _segments.Count == 0 ? null : _segments[^1];

    public void Add(Segment segment)
    {
        if (Last is { } last)
        {
            Invariant.Holds(segment.First == last.Summary.Last.Next);
            Invariant.Holds(segment.Summary.FirstOffset == last.Summary.NextOffset);
        }

        _segments.Add(segment);
    }

    public Segment? Holding(LogIndex index)
    {
        int at = LastWhere(index, static (segment, wanted) => segment.First <= wanted);
        return at < 0 || _segments[at].Summary.Last < index ? null : _segments[at];
    }

    /// <summary>The first segment that ends above an offset; null when all end at or below it.</summary>
    public Segment? EndingAbove(long offset)
    {
        int at = LastWhere(offset, static (segment, wanted) => segment.Summary.NextOffset <= wanted) + 1;
        return at == _segments.Count ? null : _segments[at];
    }

    /// <summary>The first segment that ends above an offset and has a record at least that young, which may lie below that offset.</summary>
    public Segment? ReachingTimestamp(long timestampMs, long fromOffset)
    {
        foreach (Segment segment in _segments)
        {
            if (segment.Summary.MaxTimestampMs >= timestampMs && segment.Summary.NextOffset > fromOffset)
            {
                return segment;
            }
        }

        return null;
    }

    public void RemoveFirst()
    {
        _loaded.Remove(_segments[0]);
        _segments.RemoveAt(0);
    }

    public void Clear()
    {
        _segments.Clear();
        _loaded.Clear();
    }

    /// <summary>Notes that a sealed segment's points are in memory and in use; lets go of those used longest ago.</summary>
    public void Used(Segment segment)
    {
        if (!segment.HasIndexFile || segment.Index is null)
        {
            return;
        }

        _loaded.Remove(segment);
        _loaded.Add(segment);
        if (_loaded.Count > LoadedIndexesMax)
        {
            _loaded[0].Index = null;
            _loaded.RemoveAt(0);
        }
    }

    /// <summary>
    /// Reads a segment from its start as far as it holds whole entries of the group in order, batches' bodies included, up to
    /// <paramref name="limit"/>. <paramref name="fault"/> says why it ended before the limit.
    /// </summary>
    public static SparseIndex? TryScan(IDiskFile file, GroupId group, SegmentSummary empty, long limit, out string? fault)
    {
        fault = null;
        SparseIndex? index = null;
        SegmentScanner scanner = new(file, 0, Math.Min(limit, file.Length), ScanReadBytes);
        while (true)
        {
            long position = scanner.Position;
            if (!scanner.TryNext(out EntryHeader header, out ReadOnlyMemory<byte> entry))
            {
                fault = scanner.End == ScanEnd.NotAnEntry ? $"no whole entry at {position}"
                    : position < limit ? $"it is {position} bytes long where {limit} were written"
                    : null;
                return index;
            }

            // The first entry says at which offset a segment begins that nobody else knows of.
            index ??= new SparseIndex(empty.First, empty.FirstOffset < 0 ? header.BaseOffset : empty.FirstOffset);
            if (!header.Group.IsLifeOf(group) || !index.Summary.IsFollowedBy(header))
            {
                fault = $"entry {header.Index} at {position} does not follow {index.Summary.Last}";
                return index.Summary.IsEmpty ? null : index;
            }

            if (!StoredEntry.TryReadWhole(entry.Span, out _))
            {
                fault = $"the body of entry {header.Index} at {position} does not fit its CRC";
                return index.Summary.IsEmpty ? null : index;
            }

            index.Add(header);
        }
    }

    private int LastWhere<T>(T wanted, Func<Segment, T, bool> says)
    {
        int low = 0;
        int high = _segments.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (says(_segments[middle], wanted))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }
}
