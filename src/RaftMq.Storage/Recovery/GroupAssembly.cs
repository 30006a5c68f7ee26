using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>Out of checkpoint, segments and the journal's uncommitted rest: the log, and what consensus begins with.</summary>
internal sealed class GroupAssembly(
    IDisk disk,
    GroupId group,
    string folder,
    GroupMeta meta,
    FoundCheckpoints checkpoints,
    List<Segment> segments,
    LogIndex baseIndex)
{
    /// <param name="written">The last entry that lies in a segment, hence is committed.</param>
    /// <param name="durable">Segments are durable up to here.</param>
    /// <param name="pending">The entries behind <paramref name="written"/>: they go to the tail.</param>
    /// <exception cref="DamagedException">Checkpoint and log do not fit each other.</exception>
    public RecoveredGroup.Healthy Open(
        GroupLogEnvironment environment, HardState hardState, LogIndex written, LogIndex durable, PendingEntries pending)
    {
        Checkpoint? checkpoint = checkpoints.Best;
        LogIndex applied = checkpoints.Applied;
        TermTable terms = new();
        terms.Reset(checkpoint?.Head.Terms ?? []);
        List<(LogIndex Index, Membership Membership)> memberships = [(applied, checkpoint?.Head.Membership ?? meta.Membership)];
        long nextOffset = checkpoint?.Head.NextOffset ?? 0;
        foreach (ReadOnlyMemory<byte> bytes in LogReplay.Read(disk, group, segments, applied.Next, written))
        {
            Entry entry = StoredEntry.ToEntry(bytes);
            EntryHeader header = EntryLayout.ReadUnchecked(bytes.Span);
            if (header.BaseOffset != nextOffset || header.Term < terms.LastTerm)
            {
                throw new DamagedException($"entry {entry.Index} does not follow checkpoint and log");
            }

            nextOffset = header.NextOffset;
            terms.Add(entry.Term, entry.Index, header.BaseOffset);
            if (entry.Membership is { } membership)
            {
                memberships.Add((entry.Index, membership));
            }
        }

        terms.CutBefore(baseIndex.Next);
        Term baseTerm = baseIndex == LogIndex.Zero ? Term.Zero
            : terms.TermAt(baseIndex) ?? checkpoints.TermAt(baseIndex)
            ?? throw new DamagedException($"the term of entry {baseIndex} before the log is not known");
        long physicalStart = segments.Count > 0 ? segments[0].Summary.FirstOffset : nextOffset;
        GroupLogStart start = new(
            baseIndex,
            baseTerm,
            Math.Max(checkpoint?.Head.LogStartOffset ?? 0, physicalStart),
            applied,
            new TailStart(written, nextOffset, SegmentFirst(segments), memberships),
            terms,
            segments,
            LogIndex.Min(durable, written),
            checkpoints.KnownBases(segments, baseIndex),
            checkpoints.Newest);
        GroupLog log = new(group, folder, environment, start);
        for (LogIndex index = pending.First; index <= pending.Last; index = index.Next)
        {
            log.Tail.Restore(pending[index]);
        }

        log.RecoveredTail();
        RaftStart raft = new(
            hardState,
            baseIndex,
            baseTerm,
            memberships[0].Membership,
            TermStarts(terms, baseIndex, log.LastIndex),
            log.LastIndex,
            [.. memberships.Skip(1), .. log.Tail.MembershipsAbove(written)],
            written);
        return new RecoveredGroup.Healthy(
            group, meta.Name, raft, checkpoint, log, LogReplay.Read(disk, group, segments, applied.Next, written));
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
