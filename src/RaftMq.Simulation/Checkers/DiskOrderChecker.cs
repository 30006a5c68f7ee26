using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// What must be durable before something else is done to a disk: a file before it takes its name (P-12, P-13), the log before a checkpoint of
/// it, the base checkpoint before the segments below it go; and no damaged entry is written on.
/// </summary>
public sealed class DiskOrderChecker : PromiseChecker
{
    private readonly DurableReplicas _media = new();

    public override string Promise => "order on disk";

    public override string? Observe(HistoryEvent happened)
    {
        _media.Observe(happened);
        return happened switch
        {
            // A journal file that is used again carries nothing.
            HistoryEvent.FileRenamed { IsDurable: false } renamed when !renamed.From.EndsWith(".journal", StringComparison.Ordinal) => $"{renamed.By} named {renamed.From} {renamed.To} before its bytes were durable",
            HistoryEvent.FileRenamed renamed => AboveLog(renamed),
            HistoryEvent.SegmentDeleted deleted => WithoutBase(deleted),
            HistoryEvent.BrokenEntryDurable broken => $"{broken.By}, group {broken.Key}: the entry after {broken.After} is damaged and was written on",
            _ => null,
        };
    }

    private string? AboveLog(HistoryEvent.FileRenamed renamed)
    {
        string name = renamed.To[(renamed.To.LastIndexOf('/') + 1)..];
        if (!CheckpointFile.TryParse(name, CheckpointKind.Newest, out LogIndex index) && !CheckpointFile.TryParse(name, CheckpointKind.Base, out index))
        {
            return null;
        }

        return WatchedDisk.KeyOf(renamed.To) is { } key && _media.FindKey(renamed.By, key) is { } medium && medium.Last < index
            ? $"{renamed.By} has the checkpoint {renamed.To}, and the log on its medium ends at {medium.Last}"
            : null;
    }

    private string? WithoutBase(HistoryEvent.SegmentDeleted deleted)
    {
        if (_media.FindKey(deleted.By, deleted.Key) is not { } medium || deleted.First > medium.Segments)
        {
            // Above what the journal says of segments, a start writes them again.
            return null;
        }

        LogIndex needed = deleted.Next?.Previous ?? deleted.First;
        return deleted.Bases.Any(b => b >= needed)
            ? null
            : $"{deleted.By}, group {deleted.Key}: the segment from {deleted.First} on goes, and no base checkpoint at or above {needed} is durable";
    }
}
