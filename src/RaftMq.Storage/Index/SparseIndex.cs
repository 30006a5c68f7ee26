using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Index;

/// <summary>
/// The one index of a segment: a point at its first entry and then one per <see cref="PointEveryBytes"/>, good for look-ups by log
/// index, by offset and by time (design 4, "Two coordinates"). It is a hint: whoever follows a point checks the entry that stands
/// there, and the whole can be made again from the segment.
/// </summary>
internal sealed class SparseIndex
{
    /// <summary>A look-up reads half of this in vain on average; 128 MiB make 2,048 points of 32 bytes.</summary>
    public const int PointEveryBytes = 64 << 10;

    private readonly List<IndexPoint> _points = [];

    public SparseIndex(LogIndex first, long firstOffset) => Summary = SegmentSummary.Empty(first, firstOffset);

    public SparseIndex(SegmentSummary summary, IEnumerable<IndexPoint> points)
    {
        Summary = summary;
        _points.AddRange(points);
    }

    public SegmentSummary Summary { get; private set; }

    public IReadOnlyList<IndexPoint> Points => _points;

    /// <summary>Takes the entry that follows the last one in the segment.</summary>
    public void Add(in EntryHeader header)
    {
        Invariant.Holds(Summary.IsFollowedBy(header));
        if (_points.Count == 0 || Summary.LengthBytes - _points[^1].Position >= PointEveryBytes)
        {
            _points.Add(new IndexPoint(header.Index, header.BaseOffset, Summary.MaxTimestampMs, Summary.LengthBytes));
        }

        Summary = Summary.With(header);
    }

    /// <summary>The last point at or before an entry.</summary>
    public IndexPoint ForIndex(LogIndex index) => Before(index, static (point, wanted) => point.Index <= wanted);

    /// <summary>The last point from which reading on meets the entry that holds an offset: one that starts at or below it.</summary>
    public IndexPoint ForOffset(long offset) => Before(offset, static (point, wanted) => point.Offset <= wanted);

    /// <summary>The last point before which no entry has a timestamp at or above the one asked for.</summary>
    public IndexPoint ForTimestamp(long timestampMs) =>
        Before(timestampMs, static (point, wanted) => point.MaxTimestampBeforeMs < wanted);

    /// <summary>All three columns grow along the points, so each question is a search for the last point that still says yes.</summary>
    private IndexPoint Before<T>(T wanted, Func<IndexPoint, T, bool> says)
    {
        Invariant.Holds(_points.Count > 0);
        int low = 0;
        int high = _points.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            if (says(_points[middle], wanted))
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return _points[low];
    }
}
