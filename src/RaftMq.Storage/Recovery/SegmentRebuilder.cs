using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Puts the journal's committed entries where they belong in a group's segments at start. Every one is written, also where the same bytes
/// can be read already: above the durable mark they may stand in the page cache only, and after an fsync that failed in an earlier life
/// the next one would say that they are durable without writing them (D-12).
/// </summary>
internal sealed class SegmentRebuilder(IDisk disk, string folder, GroupId group) : IDisposable
{
    /// <summary>Entries are written in runs of about this much.</summary>
    private const int RunBytes = 256 << 10;

    private readonly List<ReadOnlyMemory<byte>> _run = [];
    private IDiskFile? _file;
    private long _runPosition;
    private long _runBytes;

    /// <summary>The current segment's name may not be durable: the life that made it could have ended before its own sync (D-17).</summary>
    private bool _nameMayBeLost;

    /// <summary>Of the segment that the last entry went to, whole: null before the first.</summary>
    public SparseIndex? Current { get; private set; }

    /// <summary>Segments finished on the way, in order; their points are whole.</summary>
    public List<SparseIndex> Finished { get; } = [];

    /// <summary>
    /// Goes to the end of entry <paramref name="last"/> in the segment that starts at <paramref name="first"/>, checking all up to it.
    /// Returns what is wrong, or null.
    /// </summary>
    public string? SeekBehind(LogIndex first, LogIndex last)
    {
        string path = SegmentNames.Log(folder, first);
        _file = disk.Open(path, DiskFileMode.Existing);
        SparseIndex? index = null;
        SegmentScanner scanner = new(_file, 0, _file.Length, SegmentSet.ScanReadBytes);
        while (index is null || index.Summary.Last < last)
        {
            long position = scanner.Position;
            if (!scanner.TryNext(out EntryHeader header, out ReadOnlyMemory<byte> entry)
                || !header.Group.IsLifeOf(group)
                || !StoredEntry.TryReadWhole(entry.Span, out _))
            {
                return $"{path}: no whole entry at {position}, where durable entries up to {last} should be";
            }

            index ??= new SparseIndex(first, header.BaseOffset);
            if (!index.Summary.IsFollowedBy(header))
            {
                return $"{path}: entry {header.Index} at {position} does not follow {index.Summary.Last}";
            }

            index.Add(header);
        }

        Current = index;
        _nameMayBeLost = true;
        return null;
    }

    public void Put(ReadOnlyMemory<byte> entry)
    {
        EntryHeader header = EntryLayout.ReadUnchecked(entry.Span);
        if (header.Flags.HasFlag(EntryFlags.StartsSegment))
        {
            Begin(header);
        }

        if (_run.Count == 0)
        {
            _runPosition = Current!.Summary.LengthBytes;
        }

        _run.Add(entry);
        _runBytes += entry.Length;
        Current!.Add(header);
        if (_runBytes >= RunBytes)
        {
            WriteRun();
        }
    }

    /// <summary>Cuts what stands behind the last entry and lets go of the file.</summary>
    public void Finish()
    {
        if (_file is null || Current is null)
        {
            return;
        }

        WriteRun();
        long length = Current.Summary.LengthBytes;
        if (_file.Length > length)
        {
            _file.SetLength(length);
        }

        Invariant.Holds(_file.Length == length);
        Dispose();
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private void Begin(in EntryHeader header)
    {
        Finish();
        if (Current is not null)
        {
            Invariant.Holds(header.Index == Current.Summary.Last.Next);
            Finished.Add(Current);
        }

        string path = SegmentNames.Log(folder, header.Index);
        if (_nameMayBeLost)
        {
            // Names become durable in order: a later one alone would look like a log that retention had cut.
            disk.SyncFolder(folder);
        }

        _file = disk.Open(path, disk.FileExists(path) ? DiskFileMode.Existing : DiskFileMode.CreateNew);
        _nameMayBeLost = true;
        Current = new SparseIndex(header.Index, header.BaseOffset);
    }

    private void WriteRun()
    {
        if (_run.Count > 0)
        {
            _file!.Write(_runPosition, _run);
            _run.Clear();
            _runBytes = 0;
        }
    }
}
