using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Makes the set of a group's segments out of its files, when these hold what they should. Sealed ones are taken by their index file where it
/// fits, else scanned.
/// </summary>
internal sealed class SegmentOpening(IDisk disk, GroupId group, GroupFolder folder)
{
    /// <param name="rebuilder">Knows the segments that this start wrote itself; null when it wrote none.</param>
    /// <param name="baseIndex">The log begins behind this entry.</param>
    /// <param name="last">The last entry that lies in a segment.</param>
    /// <exception cref="DamagedException">One is not whole, or leaves a gap.</exception>
    public List<Segment> Open(SegmentRebuilder? rebuilder, LogIndex baseIndex, LogIndex last)
    {
        Dictionary<LogIndex, SparseIndex> rebuilt = [];
        if (rebuilder is not null)
        {
            foreach (SparseIndex index in rebuilder.Finished)
            {
                rebuilt[index.Summary.First] = index;
            }

            if (rebuilder.Current is { } current)
            {
                rebuilt[current.Summary.First] = current;
            }
        }

        List<LogIndex> firsts = [.. folder.Segments.Union(rebuilt.Keys).Order()];

        // Retention cut these durably, and a crash came before all were deleted; or a replay that did not know that yet made them again.
        foreach (LogIndex first in firsts.TakeWhile(first => first <= baseIndex))
        {
            folder.DeleteSegment(first);
        }

        firsts.RemoveAll(first => first <= baseIndex);
        List<Segment> segments = [];
        for (int i = 0; i < firsts.Count; i++)
        {
            Segment segment = OpenSegment(firsts[i], isSealed: i + 1 < firsts.Count, rebuilt.GetValueOrDefault(firsts[i]));
            LogIndex expectedLast = i + 1 < firsts.Count ? firsts[i + 1].Previous : last;
            if (segment.Summary.Last != expectedLast
                || (i > 0 && segment.Summary.FirstOffset != segments[^1].Summary.NextOffset))
            {
                throw new DamagedException(
                    $"{segment.Path} holds entries {segment.First} to {segment.Summary.Last} where it should reach {expectedLast}"
                    + (i > 0 ? $" from offset {segments[^1].Summary.NextOffset}, and begins with offset {segment.Summary.FirstOffset}" : ""));
            }

            segments.Add(segment);
        }

        if (segments.Count > 0)
        {
            segments[^1].NameMayBeLost = true;
        }

        return segments;
    }

    private Segment OpenSegment(LogIndex first, bool isSealed, SparseIndex? rebuilt)
    {
        string path = SegmentNames.Log(folder.Path, first);
        if (rebuilt is not null)
        {
            return new Segment(folder.Path, rebuilt.Summary, rebuilt);
        }

        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        if (isSealed
            && IndexFile.TryLoad(disk, SegmentNames.Index(folder.Path, first), group, first) is { } stored
            && stored.Summary.LengthBytes == file.Length)
        {
            return new Segment(folder.Path, stored.Summary, index: null) { HasIndexFile = true };
        }

        SparseIndex? scanned = SegmentSet.TryScan(file, group, SegmentSummary.Empty(first, -1), file.Length, out string? fault);
        return scanned is null || fault is not null
            ? throw new DamagedException($"{path}: {fault ?? "it is empty"}")
            : new Segment(folder.Path, scanned.Summary, scanned);
    }
}
