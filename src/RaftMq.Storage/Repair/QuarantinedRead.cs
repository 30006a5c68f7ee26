using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Repair;

/// <summary>
/// Reads entries of a group that did not start here, for the repair of another replica: what is damaged here may be whole there, and the other way
/// round. Every entry is checked; none beyond what must be in segments is given out.
/// </summary>
public sealed class QuarantinedRead : DiskWork
{
    private readonly GroupRecovery _recovery;
    private readonly LogIndex _from;
    private readonly LogIndex _to;
    private readonly int _maxBytes;
    private readonly Action<QuarantinedRead> _done;
    private readonly List<Entry> _entries = [];

    internal QuarantinedRead(GroupRecovery recovery, LogIndex from, LogIndex to, int maxBytes, Action<QuarantinedRead> done)
    {
        (_recovery, _from, _maxBytes, _done) = (recovery, from, maxBytes, done);
        _to = LogIndex.Min(to, recovery.NeededUpTo);
    }

    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary>It must be here, and is not whole.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>The log begins behind this entry.</summary>
    public LogIndex Base => _recovery.Base;

    public override void Execute(IDisk disk)
    {
        if (_from > _to || _from <= _recovery.Base || !disk.FolderExists(_recovery.Folder))
        {
            return;
        }

        IsDamaged = true;
        LogIndex? holding = null;
        foreach (LogIndex first in new GroupFolder(disk, _recovery.Folder).Segments)
        {
            holding = first <= _from ? first : holding;
        }

        if (holding is not { } segment)
        {
            return;
        }

        using IDiskFile file = disk.Open(SegmentNames.Log(_recovery.Folder, segment), DiskFileMode.Existing);
        LogIndex expected = segment;
        SegmentScanner scanner = new(file, Start(disk, file, segment, ref expected), file.Length, _maxBytes + SparseIndex.PointEveryBytes);
        int bytes = 0;
        while (scanner.TryNext(out EntryHeader header, out ReadOnlyMemory<byte> entry)
            && header.Index == expected && header.Group.IsLifeOf(_recovery.Group) && header.Index <= _to)
        {
            expected = expected.Next;
            if (header.Index < _from)
            {
                continue;
            }

            if ((bytes > 0 && bytes + entry.Length > _maxBytes) || !StoredEntry.TryReadWhole(entry.Span, out _)
                || !StoredEntry.TryToEntry(entry, out Entry whole))
            {
                break;
            }

            bytes += entry.Length;
            _entries.Add(whole);
        }

        IsDamaged = _entries.Count == 0;
    }

    public override void Complete() => _done(this);

    /// <summary>By the index where it fits; else the whole segment is gone through.</summary>
    private long Start(IDisk disk, IDiskFile file, LogIndex segment, ref LogIndex expected)
    {
        if (IndexFile.TryLoad(disk, SegmentNames.Index(_recovery.Folder, segment), _recovery.Group, segment) is not { } index
            || index.Summary.Last < _from)
        {
            return 0;
        }

        IndexPoint point = index.ForIndex(_from);
        SegmentScanner there = new(file, point.Position, file.Length, EntryLayout.HeaderBytes);
        if (point.Position >= file.Length || !there.TryNext(out EntryHeader header, out _) || header.Index != point.Index)
        {
            return 0;
        }

        expected = point.Index;
        return point.Position;
    }
}
