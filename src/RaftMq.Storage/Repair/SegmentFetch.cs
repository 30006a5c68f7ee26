using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Repair;

/// <summary>
/// Brings one segment from other replicas, beside the damaged one, and puts it in its place. Its life:
/// 1. entries come in order and are written to the repair file; where it began and ended is a function of the log, so the file ends at
///    <paramref name="to"/> or before the next entry that starts a segment;
/// 2. the file is read back, every entry checked, and compared with what is known of the segment;
/// 3. it is synced, renamed, and the name synced; or, where the log goes on to be appended to the segment and that is not missing, copied over the damaged one.
/// A crash before the end leaves the damaged file and a leftover.
/// </summary>
/// <param name="to">The segment does not reach beyond this entry.</param>
/// <param name="fits">What else is known: null, or what does not fit.</param>
/// <param name="inPlace">The segment is still appended to: by the disk's background lane, in which this works too.</param>
internal sealed class SegmentFetch(
    GroupId group, string folder, LogIndex first, LogIndex to, Func<SegmentSummary, string?> fits, bool inPlace, IDiskQueue disk,
    Action<SegmentFetch> changed)
{
    private readonly string _path = SegmentNames.Log(folder, first);
    private SegmentSummary _taken = SegmentSummary.Empty(first, -1);
    private bool _ended;

    public LogIndex First => first;

    /// <summary>Null while the disk works, and at the end.</summary>
    public RepairWish? Wish { get; private set; } = new RepairWish.Entries(first, to);

    /// <summary>In place and durable; null before.</summary>
    public SparseIndex? Index { get; private set; }

    public string? Failure { get; private set; }

    public long BytesTaken { get; private set; }

    public void Abandon() => _ended = true;

    public bool Take(IReadOnlyList<Entry> entries)
    {
        if (_ended || Wish is null)
        {
            return true;
        }

        List<byte> bytes = [];
        long position = _taken.LengthBytes;
        SegmentSummary taken = _taken;
        bool isComplete = false;
        foreach (Entry entry in entries)
        {
            if (!StoredEntry.TryReadWhole(entry.Bytes.Span, out EntryHeader header) || !header.Group.IsLifeOf(group))
            {
                return false;
            }

            if (header.Index > first && header.Index == taken.Last.Next && header.Flags.HasFlag(EntryFlags.StartsSegment))
            {
                isComplete = true;
                break;
            }

            if (taken.IsEmpty)
            {
                taken = SegmentSummary.Empty(first, header.BaseOffset);
            }

            if (!taken.IsFollowedBy(header) || header.Index > to)
            {
                return false;
            }

            taken = taken.With(header);
            bytes.AddRange(entry.Bytes.Span);
        }

        if (bytes.Count == 0 && !isComplete)
        {
            return false;
        }

        _taken = taken;
        BytesTaken += bytes.Count;
        Wish = null;
        disk.Submit(DiskLane.Background, new Piece(this, position, [.. bytes], isComplete || taken.Last == to));
        return true;
    }

    private void PieceWritten(bool isLast)
    {
        if (_ended)
        {
            return;
        }

        if (isLast)
        {
            disk.Submit(DiskLane.Background, new Ending(this));
            return;
        }

        Wish = new RepairWish.Entries(_taken.Last.Next, to);
        changed(this);
    }

    private void Ended(SparseIndex? index, string? failure)
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        (Index, Failure) = (index, failure);
        changed(this);
    }

    private sealed class Piece(SegmentFetch fetch, long position, byte[] bytes, bool isLast) : DiskWork
    {
        public override void Execute(IDisk disk)
        {
            string path = RepairFile.Of(fetch._path);
            if (position == 0 && disk.FileExists(path))
            {
                disk.DeleteFile(path);
            }

            using IDiskFile file = disk.Open(path, position == 0 ? DiskFileMode.CreateNew : DiskFileMode.Existing);
            file.Write(position, bytes);
        }

        public override void Complete() => fetch.PieceWritten(isLast);

        public override void Full(DiskFullException fault) => fetch.Ended(null, "the disk has no room for it");
    }

    private sealed class Ending(SegmentFetch fetch) : DiskWork
    {
        private SparseIndex? _index;
        private string? _failure;

        public override void Execute(IDisk disk)
        {
            if (fetch._ended)
            {
                // Its files may be on their way out.
                return;
            }

            string path = fetch._path;
            bool isCopiedOver = fetch.InPlace && disk.FileExists(path);
            using (IDiskFile file = disk.Open(RepairFile.Of(path), DiskFileMode.Existing))
            {
                _index = SegmentSet.TryScan(
                    file, fetch.GroupOf, SegmentSummary.Empty(fetch.First, -1), fetch._taken.LengthBytes, out _failure);
                _failure ??= _index!.Summary == fetch._taken ? fetch.Misfit(_index.Summary) : "it was not written as it came";
                if (_failure is not null)
                {
                    _index = null;
                    return;
                }

                file.Sync();
                if (isCopiedOver)
                {
                    CopyOver(disk, file, path);
                }
            }

            if (isCopiedOver)
            {
                disk.DeleteFile(RepairFile.Of(path));
                return;
            }

            disk.Rename(RepairFile.Of(path), path);
            disk.SyncFolder(fetch.FolderPath);
        }

        public override void Complete() => fetch.Ended(_index, _failure);

        public override void Full(DiskFullException fault) => fetch.Ended(null, "the disk has no room for it");

        /// <summary>Equal bytes over equal ones, but where they are damaged: torn by a crash it is damaged as before.</summary>
        private void CopyOver(IDisk disk, IDiskFile from, string path)
        {
            using IDiskFile into = disk.Open(path, DiskFileMode.Existing);
            byte[] buffer = new byte[SegmentSet.ScanReadBytes];
            long length = _index!.Summary.LengthBytes;
            for (long at = 0; at < length;)
            {
                int count = from.Read(at, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at)));
                into.Write(at, buffer.AsSpan(0, count));
                at += count;
            }

            into.Sync();
        }
    }

    private GroupId GroupOf => group;

    private string FolderPath => folder;

    private bool InPlace => inPlace;

    private string? Misfit(in SegmentSummary summary) => fits(summary);
}
