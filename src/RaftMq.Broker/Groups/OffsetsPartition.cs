using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Groups;

/// <summary>
/// A partition of the offsets topic on one replica: the replicated <see cref="GroupStateMachine"/>, and while this replica serves, the
/// <see cref="GroupCoordinator"/> on top of it.
/// </summary>
internal sealed class OffsetsPartition(
    IReplica replica, GroupsConfig config, ISubscriptionReader subscriptions, IClock clock, RandomSource random)
    : IStateMachine, IGroupProposer
{
    /// <summary>Sessions and rebalances are looked at this often.</summary>
    private const int CoordinatorTickMs = 100;

    /// <summary>
    /// Deletions of topics that are remembered. What is forgotten costs room only, until retention takes it: a topic made again under the name
    /// has another id, and does not inherit offsets.
    /// </summary>
    private const int DeletedTopicsMax = 1_000;

    private readonly Queue<(LogIndex Index, IProposalCallback Callback)> _proposed = new();

    /// <summary>
    /// The newest topics that were deleted while this replica was here, on followers too: the leader that was to forget their offsets may have
    /// gone before that was committed.
    /// </summary>
    private readonly Queue<(string Topic, UInt128 TopicId)> _deletedTopics = new();

    private readonly HeldCalls _held = new(config.Limits);

    private GroupStateMachine _state = new();
    private GroupCoordinator? _coordinator;

    /// <summary>Difference between the coordinator's time and the monotonic clock, fixed while this replica serves.</summary>
    private long _timeOffsetMs;

    private long _nextTickMs;

    /// <summary>
    /// The coordinator's time: the wall clock when it began to serve, carried on by the monotonic clock. Stored times compare across
    /// leaders, and a clock that jumps ends no session.
    /// </summary>
    private long NowMs => clock.MonotonicMs + _timeOffsetMs;

    /// <summary>Members wait for each other and sessions end while nobody writes.</summary>
    public bool TicksWhileQuiet => _coordinator is not null || _held.Count > 0;

    /// <summary>This replica leads but does not serve yet, or hands over, or has too much that is not committed: soon it, or another, takes proposals.</summary>
    private bool IsSettling => replica.IsServing ? replica.Admit(EntryLayout.HeaderBytes) is not ProposeResult.Admitted : replica.IsLeader;

    /// <summary>Runs the call here, or tells it that the coordinator is not here: at once, or when leadership has settled.</summary>
    public void Run(ICoordinatorCall call)
    {
        if ((_held.Count > 0 || IsSettling) && _held.TryHold(call, clock.MonotonicMs))
        {
            replica.WantTicks();
            return;
        }

        RunNow(call);
    }

    public void TopicDeleted(string topic, UInt128 topicId)
    {
        if (_deletedTopics.Count == DeletedTopicsMax)
        {
            _deletedTopics.Dequeue();
        }

        _deletedTopics.Enqueue((topic, topicId));
        _coordinator?.TopicDeleted(topic, topicId, NowMs);
    }

    public void Apply(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Kind != StateEntryKinds.ConsumerGroups)
        {
            return;
        }

        _state.Apply(payload);
        if (_proposed.TryPeek(out (LogIndex Index, IProposalCallback Callback) first) && first.Index == header.Index)
        {
            _proposed.Dequeue().Callback.Committed();
        }
    }

    public void WriteSnapshot(ByteWriter writer) => writer.Raw(_state.WriteSnapshot());

    public bool TryReadSnapshot(ReadOnlySpan<byte> bytes)
    {
        if (!GroupStateMachine.TryReadSnapshot(bytes, out GroupStateMachine? state, out _))
        {
            return false;
        }

        _state = state;
        return true;
    }

    public void StartServing()
    {
        _timeOffsetMs = clock.UnixMs - clock.MonotonicMs;
        _nextTickMs = clock.MonotonicMs + CoordinatorTickMs;
        _coordinator = new GroupCoordinator(_state, config, this, subscriptions, random.Split(), NowMs);
        if (_deletedTopics.Count > 0)
        {
            ForgetDeletedTopics(_coordinator);
        }
    }

    public void StopServing()
    {
        GroupCoordinator? ended = _coordinator;
        _coordinator = null;
        ended?.LeadershipLost();
        _proposed.Clear();
        RunHeld(isSettling: false);
    }

    public void LeaderIsElsewhere() => RunHeld(isSettling: false);

    public void AfterProgress() => RunHeldIfDue();

    public void Tick()
    {
        RunHeldIfDue();
        if (_coordinator is { } coordinator && clock.MonotonicMs >= _nextTickMs)
        {
            _nextTickMs = clock.MonotonicMs + CoordinatorTickMs;
            coordinator.Tick(NowMs);
        }
    }

    /// <summary>After each progress and every few milliseconds: mostly nobody waits, and then nothing is asked of the replica.</summary>
    private void RunHeldIfDue()
    {
        if (_held.Count > 0)
        {
            RunHeld(IsSettling);
        }
    }

    private void RunHeld(bool isSettling)
    {
        while (_held.TryTake(isSettling, clock.MonotonicMs, out ICoordinatorCall call))
        {
            RunNow(call);
        }
    }

    private void RunNow(ICoordinatorCall call)
    {
        if (_coordinator is { } coordinator)
        {
            call.Run(coordinator, NowMs);
        }
        else
        {
            call.NotHere();
        }
    }

    private void ForgetDeletedTopics(GroupCoordinator coordinator)
    {
        SortedSet<(string Topic, UInt128 TopicId)> withOffsets = coordinator.TopicsWithOffsets();
        foreach ((string topic, UInt128 topicId) in _deletedTopics)
        {
            if (withOffsets.Contains((topic, topicId)))
            {
                coordinator.TopicDeleted(topic, topicId, NowMs);
            }
        }
    }

    bool IGroupProposer.Propose(byte[] entry, IProposalCallback callback)
    {
        if (!replica.IsServing
            || replica.Admit(EntryLayout.HeaderBytes + entry.Length) is not ProposeResult.Admitted admitted)
        {
            return false;
        }

        LogTail tail = replica.Log.Tail;
        EntryHeader header = tail.NextHeader(
            admitted.Term, StateEntryKinds.ConsumerGroups, entry.Length, recordCount: 0, clock.UnixMs);
        _proposed.Enqueue((header.Index, callback));
        replica.Propose(tail.Encode(header, entry));
        return true;
    }

    bool IGroupProposer.ConfirmLeader(IProposalCallback callback)
    {
        if (!replica.IsServing)
        {
            return false;
        }

        replica.ConfirmLeader(new WhenConfirmed(callback.Committed, callback.Lost));
        return true;
    }
}
