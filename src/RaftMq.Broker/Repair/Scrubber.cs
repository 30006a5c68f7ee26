using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Scrub;

namespace RaftMq.Broker.Repair;

/// <summary>
/// Reads the files of all replicas on this node again and again, so that damage is found while the other replicas are whole. One piece at a time, at a
/// bounded rate; a pass begins when the last one is done and no sooner after its beginning than the interval.
/// </summary>
internal sealed class Scrubber(Shard shard, long bytesPerSecond, long intervalMs, long nowMs)
{
    /// <summary>One read of the disk. A checkpoint is read whole.</summary>
    public const int PieceBytes = 256 << 10;

    private LogScrub? _log;
    private bool _pieceIsOut;

    /// <summary>The group that is read, or was read last.</summary>
    private GroupId _group;
    private bool _isInPass;
    private long _foundBefore;
    private long _nextPassMs = nowMs + Math.Min(intervalMs, FirstPassMs);
    private long _nextPieceMs = nowMs;

    /// <summary>A node that has just started has other things to do.</summary>
    private const int FirstPassMs = 60_000;

    /// <summary>Bytes read since the start.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Files that were found damaged since the start.</summary>
    public long Found { get; private set; }

    /// <summary>Of those, the ones that the last pass that ended has found.</summary>
    public long LastPassFound { get; private set; }

    /// <summary>Passes that came to their end since the start.</summary>
    public long Passes { get; private set; }

    /// <summary>When the last pass ended, by the node's monotonic clock; null before.</summary>
    public long? LastPassEndedMs { get; private set; }

    /// <summary>How many replicas of this pass were read, of how many; 0 of 0 between passes.</summary>
    public (int Done, int Of) Progress
    {
        get
        {
            if (!_isInPass)
            {
                return default;
            }

            int done = 0;
            foreach (Replica replica in shard.All)
            {
                done += replica.Group.CompareTo(_group) < 0 ? 1 : 0;
            }

            return (done, shard.All.Count);
        }
    }

    public void Tick(long now)
    {
        if (bytesPerSecond == 0 || _pieceIsOut || now < _nextPieceMs)
        {
            return;
        }

        if (!_isInPass)
        {
            if (now < _nextPassMs)
            {
                return;
            }

            _isInPass = true;
            _foundBefore = Found;
            _nextPassMs = now + intervalMs;
            _group = default;
            _log = null;
        }

        while (true)
        {
            if (_log is null && !TryNextLog())
            {
                _isInPass = false;
                Passes++;
                LastPassFound = Found - _foundBefore;
                LastPassEndedMs = now;
                return;
            }

            // Set before: a piece may be done at once.
            _pieceIsOut = true;
            if (shard.Find(_group) is not null && _log!.TryNext(PieceBytes))
            {
                return;
            }

            _pieceIsOut = false;
            _log = null;
        }
    }

    private bool TryNextLog()
    {
        foreach (Replica replica in shard.All)
        {
            if (replica.Group.CompareTo(_group) > 0)
            {
                _group = replica.Group;
                _log = replica.Log.BeginScrub(PieceDone);
                return true;
            }
        }

        return false;
    }

    private void PieceDone(long bytes, int found)
    {
        Found += found;
        _pieceIsOut = false;
        BytesRead += bytes;
        _nextPieceMs = shard.Context.Clock.MonotonicMs + (bytes * 1_000 / bytesPerSecond);
    }
}
