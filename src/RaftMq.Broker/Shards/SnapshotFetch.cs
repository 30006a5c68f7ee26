using RaftMq.Broker.Peers;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;

namespace RaftMq.Broker.Shards;

/// <summary>
/// The follower's side of a snapshot: asks the leader for the base checkpoint piece by piece and installs it. A piece that does not
/// come is asked for again, from whoever leads by then.
/// </summary>
internal sealed class SnapshotFetch(Replica replica, ShardContext shard) : ISnapshotInstallOwner
{
    private const int AskAgainMs = 1_000;

    /// <summary>
    /// What was not taken (damaged bytes, no room) is most likely not taken the next time either: the leader is told after this only, or it
    /// would send all of it again at once, without end.
    /// </summary>
    private const int RefusedPauseMs = 1_000;

    private SnapshotInstall? _install;
    private long _totalBytes = -1;
    private long _askAgainAtMs;
    private bool _finishing;
    private (LogIndex Index, long TellAtMs)? _refused;

    public void Begin(InstallSnapshot offered)
    {
        if (_install is { } running)
        {
            if (running.Index == offered.SnapshotIndex || _finishing)
            {
                return;
            }

            running.Abandon();
        }

        _install = replica.Log.BeginInstall(offered.SnapshotIndex, offered.SnapshotTerm, this);
        (_totalBytes, _finishing, _refused) = (-1, false, null);
        Ask();
    }

    public void Arrived(PeerMessage.SnapshotChunk chunk)
    {
        if (_install is not { } install || _finishing || chunk.SnapshotIndex != install.Index
            || chunk.Position != install.NextPosition)
        {
            return;
        }

        if (chunk.TotalBytes < 0)
        {
            // Cut there since: the leader has a newer one.
            LogIndex gone = install.Index;
            Abandon();
            replica.SnapshotFailed(gone);
            return;
        }

        // The frame goes back to the transport; the install keeps the piece until it is on the disk.
        _totalBytes = chunk.TotalBytes;
        _askAgainAtMs = shard.Clock.MonotonicMs + AskAgainMs;
        install.Append(chunk.Position, chunk.Bytes.ToArray());
    }

    public void ChunkTaken(long nextPosition)
    {
        // A piece that was asked for twice because the disk took long: the one behind it decides how to go on.
        if (_install is not { } install || _finishing || nextPosition < install.NextPosition)
        {
            return;
        }

        if (nextPosition < _totalBytes)
        {
            Ask();
            return;
        }

        _finishing = true;
        install.Finish();
    }

    public void Installed(Checkpoint checkpoint)
    {
        (_install, _finishing) = (null, false);
        replica.SnapshotInstalled(checkpoint);
    }

    public void InstallFailed(string reason)
    {
        LogIndex index = _install!.Index;
        Abandon();
        _refused = (index, shard.Clock.MonotonicMs + RefusedPauseMs);
        shard.Listener.SnapshotRefused(replica, reason);
    }

    public void Tick()
    {
        if (_refused is { } refused && shard.Clock.MonotonicMs >= refused.TellAtMs)
        {
            _refused = null;
            replica.SnapshotFailed(refused.Index);
        }
        else if (_install is not null && !_finishing && shard.Clock.MonotonicMs >= _askAgainAtMs)
        {
            Ask();
        }
    }

    public void Abandon()
    {
        _install?.Abandon();
        (_install, _finishing, _refused) = (null, false, null);
    }

    private void Ask()
    {
        _askAgainAtMs = shard.Clock.MonotonicMs + AskAgainMs;
        if (replica.Leader is { } leader && _install is { } install)
        {
            shard.Outbox.Add(leader.Node, new PeerMessage.SnapshotWanted(replica.Group, install.Index, install.NextPosition));
        }
    }
}
