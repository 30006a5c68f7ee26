using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>
/// Many groups in one exclusive section (design section 6). Work comes in by messages, ticks, completions and requests; it is acted on
/// at the end of the turn: each group that something happened to does what its consensus wants, then the journal is flushed and
/// the peers' frames leave, so a turn costs one journal batch and one frame per node, however much came in.
/// </summary>
internal sealed class Shard(ShardContext context, long now) : ISectionOwner
{
    /// <summary>Consensus counts in these; see <see cref="RaftConfig"/>.</summary>
    public const int RaftTickMs = 50;

    /// <summary>Half an election time (design section 3): a leader whose disk hangs for longer hands over.</summary>
    public const int FlushOverdueMs = 300;

    /// <summary>Quiet groups are looked at every second: with a thousand idle ones the looking is what costs.</summary>
    private const int QuietLookTicks = 1_000 / RaftTickMs;

    private readonly SortedDictionary<GroupId, Replica> _replicas = [];

    /// <summary>Those that time means something to; see <see cref="Replica.NeedsTicks"/>. In the order in which they woke.</summary>
    private readonly List<Replica> _awake = [];

    /// <summary>The values of <see cref="_replicas"/>, in their order; null after one came or went, until somebody walks them.</summary>
    private Replica[]? _all;

    private int _ticksUntilQuietLook;
    private long _nextRaftTickMs = now + RaftTickMs;

    public ShardContext Context => context;

    public IReadOnlyDictionary<GroupId, Replica> Replicas => _replicas;

    /// <summary>The values of <see cref="Replicas"/>, in their order; as it was when somebody began to walk it.</summary>
    public IReadOnlyList<Replica> All => _all ??= [.. _replicas.Values];

    public Replica? Find(GroupId group) => _replicas.GetValueOrDefault(group);

    public void Add(Replica replica)
    {
        _replicas.Add(replica.Group, replica);
        _all = null;
        replica.MarkDirty();
    }

    public Replica? Remove(GroupId group)
    {
        if (!_replicas.Remove(group, out Replica? replica))
        {
            return null;
        }

        _all = null;
        _awake.Remove(replica);

        // It may stand among the dirty ones, which may just be walked: there it does nothing any more.
        replica.Close();
        return replica;
    }

    public void Received(in PeerSender from, PeerMessage message)
    {
        switch (message)
        {
            case PeerMessage.ForGroup forGroup:
                Find(forGroup.Group)?.Step(from, forGroup.Message);
                break;
            case PeerMessage.SnapshotWanted wanted:
                Find(wanted.Group)?.SnapshotWanted(from.Replica.Node, wanted);
                break;
            case PeerMessage.SnapshotChunk chunk:
                Find(chunk.Group)?.SnapshotArrived(chunk);
                break;
            case PeerMessage.StateDigested said:
                Find(said.Group)?.StateDigested(from.Replica, said.Digest);
                break;
            case PeerMessage.StateDiverged said:
                Find(said.Group)?.StateDiverged(from.Replica, said.Right);
                break;
            default:
                throw new InvariantViolationException($"{message.GetType().Name} is not a shard's.");
        }
    }

    /// <summary>A node came back, started anew, or fell silent: groups shared with it may not sleep.</summary>
    public void WakeGroupsOf(NodeId node)
    {
        foreach (Replica replica in _replicas.Values)
        {
            if (replica.IsQuiet && replica.Membership.Names(node))
            {
                replica.WakeUp();
            }
        }
    }

    /// <summary>The node's process is gone: who follows it need not wait for the election time.</summary>
    public void LeaderLost(NodeId node)
    {
        foreach (Replica replica in _replicas.Values)
        {
            if (replica.Leader?.Node == node)
            {
                replica.LeaderLost();
            }
        }
    }

    public void Tick()
    {
        long nowMs = context.Clock.MonotonicMs;
        context.Recovery.Tick(nowMs);
        foreach (Replica replica in _awake)
        {
            replica.TickMachine();
        }

        if (nowMs < _nextRaftTickMs)
        {
            return;
        }

        // A process that was stopped for long does not count the lost ticks: it cannot have heard anybody meanwhile.
        _nextRaftTickMs = Math.Max(_nextRaftTickMs + RaftTickMs, nowMs);
        if (context.Journal.IsOverdue(nowMs, FlushOverdueMs))
        {
            StepAside();
        }

        TickAwake();
        if (--_ticksUntilQuietLook <= 0)
        {
            _ticksUntilQuietLook = QuietLookTicks;
            LookAtQuiet();
        }
    }

    /// <summary>The journal is no longer full.</summary>
    public void JournalRoomCame()
    {
        foreach (Replica replica in _replicas.Values)
        {
            (replica.Machine as Partition)?.RoomCame();
        }
    }

    public void EndTurn()
    {
        // Acting may make other groups, or the same one, dirty again: until nothing is left.
        List<Replica> dirty = context.Dirty;
        for (int i = 0; i < dirty.Count; i++)
        {
            dirty[i].Act();
            Wake(dirty[i]);
        }

        dirty.Clear();
        context.Journal.TurnEnded();
        context.Outbox.Flush();
    }

    private void StepAside()
    {
        foreach (Replica replica in All)
        {
            if (replica.IsLeader)
            {
                replica.StepAside();
            }
        }
    }

    /// <summary>A tick of consensus for those awake; who is quiet after it sleeps until something happens to it.</summary>
    private void TickAwake()
    {
        int kept = 0;
        for (int i = 0; i < _awake.Count; i++)
        {
            Replica replica = _awake[i];
            replica.RaftTick();
            if (replica.NeedsTicks)
            {
                _awake[kept++] = replica;
            }
            else
            {
                replica.IsAwake = false;
            }
        }

        _awake.RemoveRange(kept, _awake.Count - kept);
    }

    private void LookAtQuiet()
    {
        foreach (Replica replica in All)
        {
            if (!replica.IsAwake)
            {
                replica.QuietTick();
            }
        }
    }

    /// <summary>Something happened to it in this turn.</summary>
    private void Wake(Replica replica)
    {
        if (!replica.IsAwake && !replica.IsClosed)
        {
            replica.IsAwake = true;
            _awake.Add(replica);
        }
    }
}
