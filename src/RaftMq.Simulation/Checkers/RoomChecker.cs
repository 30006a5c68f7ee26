using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// BOUNDED, of a disk (D-14): a leader whose disk has less room than is kept takes no records, as soon as it can know; and what was held in reserve
/// is held again once there is room.
/// </summary>
public sealed class RoomChecker : PromiseChecker
{
    /// <summary>A node looks twice a second; what its lanes and sections add is little on a disk that answers.</summary>
    public const long KnownAfterUs = 2_000_000;

    private readonly Dictionary<NodeId, (int Life, long SinceUs)> _short = [];
    private readonly Dictionary<(NodeId Node, GroupId Group), HistoryEvent.LeaderEndSeen> _ends = [];
    private long _minBytes;

    public override string Promise => "BOUNDED";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.RoomSeen seen:
                Seen(seen);
                return null;
            case HistoryEvent.RoomFound found when found.FreeBytes >= _minBytes:
                // Room may come and go between two looks from outside.
                _short.Remove(found.Node);
                return null;
            case HistoryEvent.LeaderEndSeen end:
                return Taken(end);
            case HistoryEvent.ReserveAtEnd reserve when reserve.HeldBytes < reserve.WantedBytes:
                return $"{reserve.Node} holds {reserve.HeldBytes} bytes in reserve at the end and should hold {reserve.WantedBytes}";
            default:
                return null;
        }
    }

    private void Seen(HistoryEvent.RoomSeen seen)
    {
        _minBytes = seen.MinBytes;
        if (!seen.CanLook || seen.FreeBytes >= seen.MinBytes)
        {
            _short.Remove(seen.Node);
        }
        else if (!_short.TryGetValue(seen.Node, out (int Life, long SinceUs) since) || since.Life != seen.Life)
        {
            _short[seen.Node] = (seen.Life, seen.AtUs);
        }
    }

    private string? Taken(HistoryEvent.LeaderEndSeen end)
    {
        (NodeId, GroupId) key = (end.Node, end.Group);
        HistoryEvent.LeaderEndSeen? before = _ends.GetValueOrDefault(key);
        _ends[key] = end;
        return before is not null && before.Life == end.Life && before.Term == end.Term && end.NextOffset > before.NextOffset
            && _short.TryGetValue(end.Node, out (int Life, long SinceUs) since) && since.Life == end.Life
            && before.AtUs - since.SinceUs >= KnownAfterUs
            ? $"{end.Node} leads group {end.Group} and took records up to offset {end.NextOffset} from {before.NextOffset} on, "
                + $"{(end.AtUs - since.SinceUs) / 1000} ms after its disk had less room than is kept"
            : null;
    }
}
