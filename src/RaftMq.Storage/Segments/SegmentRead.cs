using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Segments;

/// <summary>What a <see cref="SegmentRead"/> looks for. Exactly one of the first three is what it starts from.</summary>
/// <param name="Offset">The entry that holds this offset, or the next that holds any. For the greatest timestamp all from there on.</param>
/// <param name="TimestampMs">The first entry with records that is at least this young.</param>
/// <param name="UpToOffset">Consumers: no batch that ends above.</param>
/// <param name="To">Followers: no entry above.</param>
internal readonly record struct SegmentQuestion(
    SegmentQuestionKind Kind, long Offset, LogIndex Index, long TimestampMs, long UpToOffset, LogIndex To, int MaxBytes);

internal enum SegmentQuestionKind
{
    ConsumerBatches,
    FollowerEntries,
    HeaderByOffset,
    HeaderByTimestamp,
    GreatestTimestamp,
}

/// <summary>
/// Reads a range of one segment and checks every byte that it gives out: entry CRCs, the entries' order, and for record batches their
/// own CRC (promise DETECTED). The index only says where to begin: when the entry there is not the one it names, the index is made
/// again from the segment before anything is called damaged.
/// </summary>
internal sealed class SegmentRead : DiskWork
{
    /// <summary>Read beyond what was asked for, because a point stands up to this far before the entry.</summary>
    private const int ReadAheadBytes = SparseIndex.PointEveryBytes;

    private readonly GroupId _group;
    private readonly Segment _segment;
    private readonly SegmentSummary _summary;
    private readonly SegmentQuestion _question;
    private readonly Action<SegmentRead> _done;
    private IndexPoint? _point;

    /// <summary>
    /// The outcome, shown in <see cref="LogRead.Status"/> by <see cref="Complete"/> only: who asked looks at that, inside the section, while
    /// this may already run on a thread of the disk.
    /// </summary>
    private LogReadStatus _status = LogReadStatus.Done;
    private SparseIndex? _loaded;

    public SegmentRead(GroupId group, Segment segment, SegmentQuestion question, LogRead read, Action<SegmentRead> done)
    {
        _group = group;
        _segment = segment;
        _summary = segment.Summary;
        _question = question;
        _done = done;
        Read = read;
        segment.Readers++;
        _point = segment.Index is { } index ? PointIn(index) : null;
    }

    public LogRead Read { get; }

    public Segment Segment => _segment;

    /// <summary>Not null when the read had to fetch the segment's points: the owner may keep them.</summary>
    public SparseIndex? LoadedIndex => _loaded;

    public override void Execute(IDisk disk)
    {
        if (!disk.FileExists(_segment.Path))
        {
            Damaged("it is missing");
            return;
        }

        using IDiskFile file = disk.Open(_segment.Path, DiskFileMode.Existing);
        if (_point is null)
        {
            _loaded = IndexFile.TryLoad(disk, _segment.IndexPath, _group, _segment.First);
            _point = _loaded is not null && _loaded.Summary == _summary ? PointIn(_loaded) : null;
        }

        if (_point is { } point && StandsAt(file, point))
        {
            Answer(file, point);
            return;
        }

        _loaded = SegmentSet.TryScan(file, _group, SegmentSummary.Empty(_summary.First, _summary.FirstOffset), _summary.LengthBytes, out string? fault);
        if (fault is not null || _loaded is null || _loaded.Summary.Last != _summary.Last)
        {
            _loaded = null;
            Damaged(fault ?? "it ends early");
            return;
        }

        Answer(file, PointIn(_loaded));
    }

    public override void Complete()
    {
        _segment.Readers--;
        Read.Status = _status;
        _done(this);
    }

    private IndexPoint PointIn(SparseIndex index) => _question.Kind switch
    {
        SegmentQuestionKind.FollowerEntries => index.ForIndex(_question.Index),
        SegmentQuestionKind.HeaderByTimestamp => index.ForTimestamp(_question.TimestampMs),
        _ => index.ForOffset(_question.Offset),
    };

    private bool StandsAt(IDiskFile file, IndexPoint point)
    {
        if (point.Position < 0 || point.Position >= _summary.LengthBytes)
        {
            return false;
        }

        SegmentScanner scanner = new(file, point.Position, _summary.LengthBytes, EntryLayout.HeaderBytes);
        return scanner.TryNext(out EntryHeader header, out _)
            && header.Index == point.Index
            && header.BaseOffset == point.Offset
            && header.Group.IsLifeOf(_group);
    }

    private void Answer(IDiskFile file, IndexPoint point)
    {
        int ahead = (int)Math.Min(int.MaxValue / 2, (long)_question.MaxBytes + ReadAheadBytes);
        SegmentScanner scanner = new(file, point.Position, _summary.LengthBytes, ahead);
        LogIndex expected = point.Index;
        long offset = point.Offset;
        Term term = Term.Zero;
        Read.NextOffset = _question.Offset;
        while (true)
        {
            // One read of the disk is enough once there is something to answer with.
            if (Read.SizeBytes > 0 && !scanner.IsBuffered)
            {
                break;
            }

            if (!scanner.TryNext(out EntryHeader header, out ReadOnlyMemory<byte> entry))
            {
                if (scanner.End == ScanEnd.NotAnEntry && Read.SizeBytes == 0)
                {
                    Damaged($"no whole entry at {scanner.Position}");
                    return;
                }

                break;
            }

            if (!header.Group.IsLifeOf(_group) || header.Index != expected || header.BaseOffset != offset || header.Term < term)
            {
                Damaged($"entry {header.Index} stands where {expected} belongs");
                return;
            }

            expected = expected.Next;
            offset = header.NextOffset;
            term = header.Term;
            if (!Take(header, entry))
            {
                break;
            }
        }

        if (_question.Kind == SegmentQuestionKind.HeaderByTimestamp && Read.Found is null)
        {
            Read.NextOffset = offset;
        }
    }

    /// <summary>False when the answer is complete.</summary>
    private bool Take(in EntryHeader header, ReadOnlyMemory<byte> entry)
    {
        switch (_question.Kind)
        {
            case SegmentQuestionKind.HeaderByOffset:
                Read.Found = header.NextOffset > _question.Offset ? header : null;
                return Read.Found is null;

            case SegmentQuestionKind.HeaderByTimestamp:
                Read.Found = header.RecordCount > 0 && header.TimestampMs >= _question.TimestampMs && header.NextOffset > _question.Offset ? header : null;
                return Read.Found is null;

            case SegmentQuestionKind.GreatestTimestamp:
                if (header.RecordCount > 0 && header.NextOffset > _question.Offset)
                {
                    Read.GreatestTimestampMs = Math.Max(Read.GreatestTimestampMs, header.TimestampMs);
                }

                return true;

            case SegmentQuestionKind.FollowerEntries:
                if (header.Index < _question.Index)
                {
                    return true;
                }

                if (header.Index > _question.To || !Read.HasRoom(entry.Length, _question.MaxBytes) || !IsWhole(header, entry))
                {
                    return false;
                }

                if (!StoredEntry.TryToEntry(entry, out Entry whole))
                {
                    DamagedIfFirst($"entry {header.Index} is no membership that this version reads");
                    return false;
                }

                Read.Add(whole);
                Read.NextOffset = header.NextOffset;
                return true;

            default:
                if (header.NextOffset <= _question.Offset)
                {
                    return true;
                }

                if (header.NextOffset > _question.UpToOffset)
                {
                    return false;
                }

                if (header.Kind == EntryKinds.Data)
                {
                    if (!Read.HasRoom(entry.Length - EntryLayout.HeaderBytes, _question.MaxBytes) || !IsWhole(header, entry))
                    {
                        return false;
                    }

                    Read.Add(entry[EntryLayout.HeaderBytes..]);
                }

                Read.NextOffset = header.NextOffset;
                return true;
        }
    }

    private bool IsWhole(in EntryHeader header, ReadOnlyMemory<byte> entry)
    {
        if (PlantedBug.ReadUnverified || StoredEntry.TryReadWhole(entry.Span, out _))
        {
            return true;
        }

        DamagedIfFirst($"the body of entry {header.Index} does not fit its CRC");
        return false;
    }

    /// <summary>What was read before it is good and goes out; the next read meets the damage first.</summary>
    private void DamagedIfFirst(string what)
    {
        if (Read.SizeBytes == 0)
        {
            Damaged(what);
        }
    }

    private void Damaged(string what)
    {
        _status = LogReadStatus.Damaged;
        Read.Damage = $"segment {_segment.Path} is damaged: {what}";
    }
}
