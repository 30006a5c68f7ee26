using RaftMq.Broker.Peers;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Shards;

/// <summary>
/// The leader's help for followers that memory can't serve: entries read from segments, and the base checkpoint for those behind the
/// log's start, in pieces that they ask for one by one (so a transfer needs no state here). Both wait for their turn in
/// <see cref="RecoveryPace"/>.
/// </summary>
internal sealed class FollowerFeed(RaftGroup raft, GroupLog log, ShardContext shard, Action markDirty)
{
    /// <summary>A piece of a checkpoint; one is on its way per follower and group.</summary>
    public const int ChunkBytes = 256 << 10;

    private readonly RaftGroup _raft = raft;
    private readonly RecoveryPace _pace = shard.Recovery;
    private readonly Action _markDirty = markDirty;
    private int _leadership;
    private bool _isClosed;

    /// <summary>Reads under way belong to a leadership that ended: their answers are dropped.</summary>
    public void Forget() => _leadership++;

    /// <summary>The group leaves this node: nothing begins any more.</summary>
    public void Close()
    {
        Forget();
        _isClosed = true;
    }

    public void Read(in LogReadRequest request)
    {
        LogReadRequest asked = request;
        int leadership = _leadership;
        int bytesMax = (int)Math.Min(request.MaxBytes, int.MaxValue);
        _pace.Begin(
            new RecoveryPace.Transfer(log.Group, request.Follower.Node, TransferKind.Entries), bytesMax, shard.Clock.MonotonicMs,
            () => BeginRead(asked, bytesMax, leadership));
    }

    public void SendSnapshot(ReplicaId follower)
    {
        if (log.SnapshotToSend is { } snapshot)
        {
            _raft.SnapshotSent(follower, snapshot.Index, snapshot.Term, snapshot.Membership);
            _markDirty();
        }
    }

    public void SendChunk(PeerOutbox outbox, NodeId to, PeerMessage.SnapshotWanted wanted) => _pace.Begin(
        new RecoveryPace.Transfer(log.Group, to, TransferKind.Snapshot), ChunkBytes, shard.Clock.MonotonicMs,
        () => BeginChunk(outbox, to, wanted));

    private void BeginRead(in LogReadRequest request, int bytesMax, int leadership)
    {
        var waiter = new FollowerRead(this, request.Follower, request.From, bytesMax, leadership);
        if (leadership != _leadership)
        {
            waiter.NotBegun();
            return;
        }

        LogRead read = log.ReadForFollower(request.From, request.To, bytesMax, waiter);
        if (read.Status != LogReadStatus.Pending)
        {
            waiter.ReadDone(read);
        }
    }

    private void BeginChunk(PeerOutbox outbox, NodeId to, PeerMessage.SnapshotWanted wanted)
    {
        var waiter = new ChunkRead(_pace, outbox, to, wanted);
        if (_isClosed || wanted.Position < 0 || !log.ReadSnapshot(wanted.SnapshotIndex, wanted.Position, ChunkBytes, waiter))
        {
            waiter.Gone();
        }
    }

    private sealed class FollowerRead(
        FollowerFeed feed, ReplicaId follower, LogIndex from, int bytesMax, int leadership) : ILogReadWaiter
    {
        public void NotBegun() => feed._pace.GiveBack(bytesMax);

        public void ReadDone(LogRead read)
        {
            // A single entry may be larger than what was asked for.
            long bytes = read.Entries.Sum(static entry => (long)entry.SizeBytes);
            feed._pace.GiveBack(Math.Max(0, bytesMax - bytes));
            if (leadership != feed._leadership)
            {
                return;
            }

            // Damaged or cut since: nothing to send. Consensus asks again, or finds the follower behind the log's start.
            feed._raft.EntriesRead(follower, from, read.Status == LogReadStatus.Done ? read.Entries : []);
            feed._markDirty();
        }
    }

    private sealed class ChunkRead(
        RecoveryPace pace, PeerOutbox outbox, NodeId to, PeerMessage.SnapshotWanted wanted) : ISnapshotChunkWaiter
    {
        public void Gone()
        {
            pace.GiveBack(ChunkBytes);
            outbox.Add(to, new PeerMessage.SnapshotChunk(
                wanted.Group, wanted.SnapshotIndex, wanted.Position, TotalBytes: -1, default));
        }

        public void SnapshotChunkRead(long position, ReadOnlyMemory<byte> bytes, long totalBytes)
        {
            pace.GiveBack(Math.Max(0, ChunkBytes - bytes.Length));
            outbox.Add(to, new PeerMessage.SnapshotChunk(wanted.Group, wanted.SnapshotIndex, position, totalBytes, bytes));
        }
    }
}
