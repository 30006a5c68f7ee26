using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Out of checkpoint, segments and the journal's uncommitted rest: the log, and what consensus begins with. First what the disk has to say
/// (<see cref="Read"/>), then what lives in the group's section (<see cref="Open"/>).
/// </summary>
internal sealed class GroupAssembly
{
    private readonly IDisk _disk;
    private readonly GroupId _group;
    private readonly string _folder;
    private readonly GroupMeta _meta;
    private readonly FoundCheckpoints _checkpoints;
    private readonly List<Segment> _segments;
    private readonly LogIndex _baseIndex;

    /// <summary>The last entry that lies in a segment, hence is committed.</summary>
    private readonly LogIndex _written;
    private readonly TermTable _terms = new();
    private readonly List<(LogIndex Index, Membership Membership)> _memberships;
    private readonly Term _baseTerm;
    private readonly long _nextOffset;

    private GroupAssembly(
        IDisk disk, GroupId group, string folder, GroupMeta meta, FoundCheckpoints checkpoints, List<Segment> segments, LogIndex baseIndex,
        LogIndex written)
    {
        _disk = disk;
        _group = group;
        _folder = folder;
        _meta = meta;
        _checkpoints = checkpoints;
        _segments = segments;
        _baseIndex = baseIndex;
        _written = written;
        Checkpoint? checkpoint = checkpoints.Best;
        LogIndex applied = checkpoints.Applied;
        _terms.Reset(checkpoint?.Head.Terms ?? []);
        _memberships = [(applied, checkpoint?.Head.Membership ?? meta.Membership)];
        _nextOffset = checkpoint?.Head.NextOffset ?? 0;
        foreach (ReadOnlyMemory<byte> bytes in LogReplay.Read(disk, group, segments, applied.Next, written))
        {
            Entry entry = StoredEntry.ToEntry(bytes);
            EntryHeader header = EntryLayout.ReadUnchecked(bytes.Span);
            if (header.BaseOffset != _nextOffset || header.Term < _terms.LastTerm)
            {
                throw new DamagedException($"entry {entry.Index} does not follow checkpoint and log");
            }

            _nextOffset = header.NextOffset;
            _terms.Add(entry.Term, entry.Index, header.BaseOffset);
            if (entry.Membership is { } membership)
            {
                _memberships.Add((entry.Index, membership));
            }
        }

        _terms.CutBefore(baseIndex.Next);
        _baseTerm = baseIndex == LogIndex.Zero ? Term.Zero
            : _terms.TermAt(baseIndex) ?? checkpoints.TermAt(baseIndex)
            ?? throw new DamagedException($"the term of entry {baseIndex} before the log is not known");
    }

    /// <exception cref="DamagedException">Checkpoint and log do not fit each other.</exception>
    public static GroupAssembly Read(
        IDisk disk, GroupId group, string folder, GroupMeta meta, FoundCheckpoints checkpoints, List<Segment> segments, LogIndex baseIndex,
        LogIndex written) => new(disk, group, folder, meta, checkpoints, segments, baseIndex, written);

    /// <summary>
    /// Whole entries, by their checksums, may still be wrong: then the group stays out, and the node is there for all others. Null when all follow
    /// each other and the log in segments.
    /// </summary>
    public LogIndex? FirstThatDoesNotFollow(PendingEntries pending)
    {
        LogIndex expected = _written.Next;
        Term term = _terms.LastTerm;
        long offset = _nextOffset;
        bool hasSegment = _segments.Count > 0;
        for (LogIndex index = pending.First; index <= pending.Last; index = index.Next)
        {
            EntryHeader header = EntryLayout.ReadUnchecked(pending[index].Span);
            hasSegment |= header.Flags.HasFlag(EntryFlags.StartsSegment);
            if (index != expected || header.Index != index || header.Term < term || header.BaseOffset != offset || !hasSegment || !header.Group.IsLifeOf(_group))
            {
                return index;
            }

            (expected, term, offset) = (index.Next, header.Term, header.NextOffset);
        }

        return null;
    }

    /// <param name="durable">Segments are durable up to here.</param>
    /// <param name="pending">The entries behind those in segments: they go to the tail.</param>
    /// <param name="lost">What the journal lost of the log, behind the last of them.</param>
    public RecoveredGroup.Healthy Open(
        GroupLogEnvironment environment, HardState hardState, LogIndex durable, PendingEntries pending,
        (JournalDamage Damage, string Report)? lost)
    {
        Checkpoint? checkpoint = _checkpoints.Best;
        LogIndex applied = _checkpoints.Applied;
        long physicalStart = _segments.Count > 0 ? _segments[0].Summary.FirstOffset : _nextOffset;
        GroupLogStart start = new(
            _baseIndex,
            _baseTerm,
            Math.Max(checkpoint?.Head.LogStartOffset ?? 0, physicalStart),
            applied,
            new TailStart(_written, _nextOffset, SegmentFirst(_segments), _memberships),
            _terms,
            _segments,
            LogIndex.Min(durable, _written),
            _checkpoints.KnownBases(_segments, _baseIndex),
            _checkpoints.Newest);
        GroupLog log = new(_group, _folder, environment, start);
        for (LogIndex index = pending.First; index <= pending.Last; index = index.Next)
        {
            log.Tail.Restore(pending[index]);
        }

        log.RecoveredTail();
        bool isTermUnwritten = hardState.Term < _terms.LastTerm && (lost is { Damage.HardStateLost: true } || _baseTerm > hardState.Term);
        if (isTermUnwritten)
        {
            // A base that came from another replica, or the hard state is lost: nothing was promised in that term, or it is not known what.
            hardState = new HardState(_terms.LastTerm, Vote: null);
        }

        RaftStart raft = new(
            hardState,
            _baseIndex,
            _baseTerm,
            _memberships[0].Membership,
            TermStarts(_terms, _baseIndex, log.LastIndex),
            log.LastIndex,
            // The first is the checkpoint's: of an entry at or below its index, and no longer ago than the base.
            [.. _memberships.Where(m => m.Index > _baseIndex), .. log.Tail.MembershipsAbove(_written)],
            _written,
            lost?.Damage.ForRaft)
        {
            IsTermUnwritten = isTermUnwritten,
        };
        return new RecoveredGroup.Healthy(
            _group, _meta.Name, raft, lost?.Report, checkpoint, log, LogReplay.Read(_disk, _group, _segments, applied.Next, _written));
    }

    private static (LogIndex First, long Bytes, long TimestampMs)? SegmentFirst(List<Segment> segments) =>
        segments.Count == 0
            ? null
            : (segments[^1].First, segments[^1].Summary.LengthBytes, segments[^1].Summary.FirstTimestampMs);

    private static List<(LogIndex First, Term Term)> TermStarts(TermTable terms, LogIndex baseIndex, LogIndex last)
    {
        List<(LogIndex, Term)> starts = [];
        for (int i = 0; i < terms.Starts.Count; i++)
        {
            LogIndex end = i + 1 < terms.Starts.Count ? terms.Starts[i + 1].First : last.Next;
            LogIndex first = LogIndex.Max(terms.Starts[i].First, baseIndex.Next);
            if (first < end)
            {
                starts.Add((first, terms.Starts[i].Term));
            }
        }

        return starts;
    }
}
