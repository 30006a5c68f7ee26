using RaftMq.Broker.Peers;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Shards;

/// <summary>
/// The leader's help for followers that memory can't serve: entries read from segments, and the base checkpoint for those behind the
/// log's start, in pieces that they ask for one by one (so a transfer paces itself and needs no state here).
/// </summary>
internal sealed class FollowerFeed(RaftGroup raft, GroupLog log, Action markDirty)
{
    /// <summary>A piece of a checkpoint; one is on its way per follower and group.</summary>
    public const int ChunkBytes = 256 << 10;

    private readonly RaftGroup _raft = raft;
    private readonly Action _markDirty = markDirty;
    private int _leadership;

    /// <summary>Reads under way belong to a leadership that ended: their answers are dropped.</summary>
    public void Forget() => _leadership++;

    public void Read(in LogReadRequest request)
    {
        var waiter = new FollowerRead(this, request.Follower, request.From, _leadership);
        LogRead read = log.ReadForFollower(
            request.From, request.To, (int)Math.Min(request.MaxBytes, int.MaxValue), waiter);
        if (read.Status != LogReadStatus.Pending)
        {
            waiter.ReadDone(read);
        }
    }

    public void SendSnapshot(ReplicaId follower)
    {
        if (log.SnapshotToSend is { } snapshot)
        {
            _raft.SnapshotSent(follower, snapshot.Index, snapshot.Term, snapshot.Membership);
            _markDirty();
        }
    }

    public void SendChunk(PeerOutbox outbox, NodeId to, PeerMessage.SnapshotWanted wanted)
    {
        var waiter = new ChunkRead(outbox, to, wanted);
        if (wanted.Position < 0 || !log.ReadSnapshot(wanted.SnapshotIndex, wanted.Position, ChunkBytes, waiter))
        {
            waiter.Gone();
        }
    }

    private sealed class FollowerRead(FollowerFeed feed, ReplicaId follower, LogIndex from, int leadership) : ILogReadWaiter
    {
        public void ReadDone(LogRead read)
        {
            if (leadership != feed._leadership)
            {
                return;
            }

            // Damaged or cut since: nothing to send. Consensus asks again, or finds the follower behind the log's start.
            feed._raft.EntriesRead(follower, from, read.Status == LogReadStatus.Done ? read.Entries : []);
            feed._markDirty();
        }
    }

    private sealed class ChunkRead(PeerOutbox outbox, NodeId to, PeerMessage.SnapshotWanted wanted) : ISnapshotChunkWaiter
    {
        public void Gone() => outbox.Add(to, new PeerMessage.SnapshotChunk(
            wanted.Group, wanted.SnapshotIndex, wanted.Position, TotalBytes: -1, default));

        public void SnapshotChunkRead(long position, ReadOnlyMemory<byte> bytes, long totalBytes) => outbox.Add(
            to, new PeerMessage.SnapshotChunk(wanted.Group, wanted.SnapshotIndex, position, totalBytes, bytes));
    }
}
