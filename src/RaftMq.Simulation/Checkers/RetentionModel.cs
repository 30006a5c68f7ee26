using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// What may go from the front of the logs: what somebody asked to delete, and what some settings that were asked for let go. Whichever settings a
/// leader knew, it has no others. Nothing is known here of segments but that they are no longer than was asked for.
/// </summary>
internal sealed class RetentionModel
{
    /// <summary>Of a partition's log, beside its batches: entries that consensus and the broker make for themselves.</summary>
    private const long OtherBytes = 16 << 10;

    /// <summary>An entry is so much longer than its batch.</summary>
    private const int EntryHeaderBytes = 64;

    private readonly LogFronts _fronts = new();
    private readonly Dictionary<GroupId, Log> _logs = [];
    private readonly Dictionary<Mark, (GroupId Group, long TimestampMs, int Bytes)> _sent = [];

    public void Observe(HistoryEvent happened)
    {
        _fronts.Observe(happened);
        switch (happened)
        {
            case HistoryEvent.SendStarted sent:
                _sent[sent.Mark] = (sent.Group, sent.TimestampMs, sent.Bytes);
                break;
            case HistoryEvent.MarkDurable { BaseOffset: >= 0 } durable when _sent.TryGetValue(durable.Mark, out (GroupId Group, long, int Bytes) sent):
                Log there = Of(sent.Group);
                if (there.Held.Add((durable.BaseOffset, durable.Mark)))
                {
                    there.HeldBytes += sent.Bytes + EntryHeaderBytes;
                }

                break;
            case HistoryEvent.RetentionAsked asked:
                Log log = Of(asked.Group);
                log.KeepMs = Least(log.KeepMs, asked.RetentionMs);
                log.KeepBytes = Least(log.KeepBytes, asked.RetentionBytes);
                log.SegmentBytes = Math.Max(log.SegmentBytes, asked.SegmentBytes ?? 0);
                break;
        }
    }

    /// <summary>Everything below may be gone: it was asked for, or seen to be decided.</summary>
    public long GoneBefore(GroupId group) => _fronts.GoneBefore(group);

    /// <summary>
    /// Null when all these batches below a new start may go, else why not. To be asked before <see cref="Observe"/> takes the start for decided.
    /// </summary>
    /// <param name="acked">What has to be kept, in order of offset.</param>
    public string? Unlawful(HistoryEvent.LogStartSeen seen, IEnumerable<(Mark Mark, long BaseOffset)> acked)
    {
        Log log = Of(seen.Group);
        long goneBefore = GoneBefore(seen.Group);
        if (seen.Offset <= goneBefore)
        {
            return null;
        }

        foreach ((Mark mark, long baseOffset) in acked)
        {
            (_, long timestampMs, int bytes) = _sent[mark];
            if (baseOffset >= seen.Offset || baseOffset < goneBefore
                || (log.KeepMs is { } keepMs && timestampMs < seen.UnixMs - keepMs)
                || (log.KeepBytes is { } keepBytes && baseOffset < log.Newest
                    && log.BytesFrom(baseOffset, _sent) + log.SegmentBytes + OtherBytes > keepBytes))
            {
                continue;
            }

            return $"group {seen.Group}: {seen.By} lets the log start at {seen.Offset}; {mark} at {baseOffset}, {bytes} bytes, is "
                + $"{(seen.UnixMs - timestampMs) / 1e3:F1} s old by that node's clock, and {log.BytesFrom(baseOffset, _sent)} bytes are from there on; no settings "
                + $"asked for less than {log.KeepMs?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "all"} ms or "
                + $"{log.KeepBytes?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "all"} bytes";
        }

        return null;
    }

    /// <summary>Null keeps all, as -1 asks for.</summary>
    private static long? Least(long? known, long? asked) => asked is null or < 0 ? known : Math.Min(known ?? long.MaxValue, asked.Value);

    private Log Of(GroupId group)
    {
        if (!_logs.TryGetValue(group, out Log? log))
        {
            _logs.Add(group, log = new Log());
        }

        return log;
    }

    private sealed class Log
    {
        /// <summary>The least that was asked for; null: nothing goes for its age.</summary>
        public long? KeepMs { get; set; }

        /// <summary>The least that was asked for; null: nothing goes for its size.</summary>
        public long? KeepBytes { get; set; }

        /// <summary>The most that a segment was asked to have.</summary>
        public long SegmentBytes { get; set; }

        /// <summary>All batches that some disk held; some were cut again, which makes this more than there is.</summary>
        public SortedSet<(long BaseOffset, Mark Mark)> Held { get; } = [];

        public long HeldBytes { get; set; }

        /// <summary>What came last stays, whatever its size: it is in the segment that is written to.</summary>
        public long Newest => Held.Count == 0 ? 0 : Held.Max.BaseOffset;

        public long BytesFrom(long offset, Dictionary<Mark, (GroupId Group, long TimestampMs, int Bytes)> sent)
        {
            long before = 0;
            foreach ((long baseOffset, Mark mark) in Held)
            {
                if (baseOffset >= offset)
                {
                    break;
                }

                before += sent[mark].Bytes + EntryHeaderBytes;
            }

            return HeldBytes - before;
        }
    }
}
