using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>Reads a stretch of a log out of its segments, in order, every entry checked. Start-up only.</summary>
internal static class LogReplay
{
    /// <exception cref="DamagedException">An entry that should be durable is not there or not whole.</exception>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(
        IDisk disk, GroupId group, IReadOnlyList<Segment> segments, LogIndex from, LogIndex to)
    {
        LogIndex next = from;
        foreach (Segment segment in segments)
        {
            if (segment.Summary.Last < next || segment.First > to)
            {
                continue;
            }

            if (segment.First > next)
            {
                throw new DamagedException($"no segment holds entry {next}");
            }

            foreach ((EntryHeader header, ReadOnlyMemory<byte> entry) in ReadSegment(disk, group, segment, next))
            {
                if (header.Index > to)
                {
                    yield break;
                }

                next = header.Index.Next;
                yield return entry;
            }
        }

        if (next <= to)
        {
            throw new DamagedException($"no segment holds entry {next}");
        }
    }

    private static IEnumerable<(EntryHeader Header, ReadOnlyMemory<byte> Entry)> ReadSegment(
        IDisk disk, GroupId group, Segment segment, LogIndex from)
    {
        SparseIndex? index = segment.Index ?? IndexFile.TryLoad(disk, segment.IndexPath, group, segment.First);
        IndexPoint point = index is null || index.Summary != segment.Summary
            ? new IndexPoint(segment.First, segment.Summary.FirstOffset, long.MinValue, 0)
            : index.ForIndex(from);
        using IDiskFile file = disk.Open(segment.Path, DiskFileMode.Existing);
        SegmentScanner scanner = new(file, point.Position, segment.Summary.LengthBytes, SegmentSet.ScanReadBytes);
        LogIndex next = point.Index;
        while (next <= segment.Summary.Last)
        {
            long position = scanner.Position;
            if (!scanner.TryNext(out EntryHeader header, out ReadOnlyMemory<byte> entry)
                || !header.Group.IsLifeOf(group)
                || header.Index != next
                || !StoredEntry.TryReadWhole(entry.Span, out _))
            {
                throw new DamagedException($"{segment.Path}: entry {next} is not whole at {position}");
            }

            next = next.Next;
            if (header.Index >= from)
            {
                yield return (header, entry);
            }
        }
    }
}
