using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Scrub;

/// <summary>
/// One pass over the files of one log, piece by piece: every byte of its segments, their indexes, and its checkpoints, whether anybody reads them or not.
/// What it finds goes the way of what a read finds; a damaged index is made anew. What is written, cut or mended meanwhile is taken as it is when
/// the pass comes there.
/// </summary>
public sealed class LogScrub
{
    private readonly GroupId _group;
    private readonly GroupFiles _files;
    private readonly IDiskQueue _disk;
    private readonly Action<long, int> _done;
    private Segment? _segment;

    /// <summary>Of the segment under way as far as it was read; made again from its entries.</summary>
    private SparseIndex? _read;
    private bool _indexIsDamaged;

    /// <summary>The segment, then the base, that comes next begins behind this entry.</summary>
    private LogIndex _behind;
    private bool _segmentsAreDone;
    private bool _newestIsDone;

    /// <param name="done">Told how many bytes a piece has read, and how many files it found damaged.</param>
    internal LogScrub(GroupId group, GroupFiles files, IDiskQueue disk, Action<long, int> done)
    {
        (_group, _files, _disk, _done) = (group, files, disk, done);
    }

    /// <summary>Begins the next piece. False: the pass is at its end.</summary>
    public bool TryNext(int maxBytes)
    {
        if (!_segmentsAreDone && NextSegment() is { } segment)
        {
            segment.Readers++;
            _disk.Submit(DiskLane.Read, new SegmentPiece(this, segment, maxBytes));
            return true;
        }

        if (!_segmentsAreDone)
        {
            _segmentsAreDone = true;
            _behind = LogIndex.Zero;
        }

        foreach (BaseCheckpoint known in _files.Checkpoints.Bases)
        {
            if (known.Index > _behind && known is { IsDurable: true, IsDamaged: false })
            {
                _behind = known.Index;
                known.Readers++;
                _disk.Submit(DiskLane.Read, new BasePiece(this, known));
                return true;
            }
        }

        if (!_newestIsDone && _files.Checkpoints.Newest is { } newest)
        {
            _newestIsDone = true;
            _disk.Submit(DiskLane.Background, new NewestPiece(this, newest));
            return true;
        }

        return false;
    }

    private Segment? NextSegment()
    {
        if (_segment is { } under && _files.Segments.All.Contains(under))
        {
            return under;
        }

        _segment = null;
        foreach (Segment segment in _files.Segments.All)
        {
            // What is known to be damaged is looked at again once it is mended.
            if (segment.First > _behind && !segment.IsDamaged)
            {
                _segment = segment;
                _read = new SparseIndex(segment.First, segment.Summary.FirstOffset);
                _indexIsDamaged = false;
                return segment;
            }
        }

        return null;
    }

    private void PieceRead(SegmentPiece piece, long bytes)
    {
        Segment segment = piece.Segment;
        segment.Readers--;
        _files.ReaderGone();
        _indexIsDamaged |= piece.IndexIsDamaged;
        int found = 0;
        if (piece.Damage is { } damage)
        {
            Probe.Reached(RareBranch.ScrubFoundDamage);
            _files.SegmentIsDamaged(segment, damage);
            found++;
        }

        if (piece.Damage is not null || piece.IsEnd)
        {
            _behind = segment.First;
            _segment = null;
            if (_indexIsDamaged && piece.Damage is null && !ReferenceEquals(segment, _files.Segments.Last))
            {
                Probe.Reached(RareBranch.ScrubMadeIndex);
                _files.WriteIndex(segment, _read!);
                found++;
            }
        }

        _done(bytes, found);
    }

    /// <summary>A run of entries of a segment.</summary>
    private sealed class SegmentPiece(LogScrub scrub, Segment segment, int maxBytes) : DiskWork
    {
        private readonly SparseIndex _read = scrub._read!;
        private readonly SegmentSummary _known = segment.Summary;
        private readonly bool _isSealed = !ReferenceEquals(segment, scrub._files.Segments.Last);
        private readonly bool _hasIndexFile = segment.HasIndexFile;
        private long _bytes;

        public Segment Segment => segment;

        public bool IsEnd { get; private set; }

        public bool IndexIsDamaged { get; private set; }

        public string? Damage { get; private set; }

        public override void Execute(IDisk disk)
        {
            if (!disk.FileExists(segment.Path))
            {
                Damage = "it is missing";
                return;
            }

            if (_read.Summary.IsEmpty && _hasIndexFile)
            {
                IndexIsDamaged = IndexFile.TryLoad(disk, segment.IndexPath, scrub._group, segment.First)?.Summary != _known;
            }

            using IDiskFile file = disk.Open(segment.Path, DiskFileMode.Existing);
            long from = _read.Summary.LengthBytes;
            SegmentScanner scanner = new(file, from, _known.LengthBytes, maxBytes);
            while (_bytes < maxBytes && _read.Summary.Last < _known.Last)
            {
                if (!scanner.TryNext(out EntryHeader header, out ReadOnlyMemory<byte> entry) || !StoredEntry.TryReadWhole(entry.Span, out _))
                {
                    Damage = $"no whole entry at {_read.Summary.LengthBytes}";
                    return;
                }

                if (!header.Group.IsLifeOf(scrub._group) || !_read.Summary.IsFollowedBy(header))
                {
                    Damage = $"entry {header.Index} stands where {_read.Summary.Last.Next} belongs";
                    return;
                }

                _read.Add(header);
                _bytes = _read.Summary.LengthBytes - from;
            }

            IsEnd = _read.Summary.Last == _known.Last;
            if (IsEnd && (_read.Summary != _known || (_isSealed && file.Length != _known.LengthBytes)))
            {
                Damage = $"it has {file.Length} bytes where {_known.LengthBytes} were written";
            }
        }

        public override void Complete() => scrub.PieceRead(this, _bytes);
    }

    private sealed class BasePiece(LogScrub scrub, BaseCheckpoint known) : DiskWork
    {
        private bool _isDamaged;
        private long _bytes;

        public override void Execute(IDisk disk)
        {
            string path = CheckpointFile.Path(scrub._files.Folder, CheckpointKind.Base, known.Index);
            _isDamaged = !disk.FileExists(path)
                || CheckpointFile.TryRead(disk, scrub._files.Folder, CheckpointKind.Base, known.Index, scrub._group) is null;
            _bytes = LengthOf(disk, path);
        }

        public override void Complete()
        {
            known.Readers--;
            scrub._files.ReaderGone();
            if (_isDamaged)
            {
                Probe.Reached(RareBranch.ScrubFoundDamage);
                scrub._files.BaseIsDamaged(known);
            }

            scrub._done(_bytes, _isDamaged ? 1 : 0);
        }
    }

    /// <summary>In the lane in which it is replaced, so that it is there while it is read.</summary>
    private sealed class NewestPiece(LogScrub scrub, LogIndex newest) : DiskWork
    {
        private bool _isDamaged;
        private long _bytes;

        public override void Execute(IDisk disk)
        {
            string path = CheckpointFile.Path(scrub._files.Folder, CheckpointKind.Newest, newest);
            _isDamaged = !disk.FileExists(path)
                || CheckpointFile.TryRead(disk, scrub._files.Folder, CheckpointKind.Newest, newest, scrub._group) is null;
            _bytes = LengthOf(disk, path);
        }

        public override void Complete()
        {
            bool isFound = _isDamaged && scrub._files.Checkpoints.Newest == newest;
            if (isFound)
            {
                Probe.Reached(RareBranch.ScrubFoundDamage);
                scrub._files.NewestIsDamaged();
            }

            scrub._done(_bytes, isFound ? 1 : 0);
        }
    }

    private static long LengthOf(IDisk disk, string path)
    {
        if (!disk.FileExists(path))
        {
            return 0;
        }

        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        return file.Length;
    }
}
