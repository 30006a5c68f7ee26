using RaftMq.Broker.Controller;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Partitions;

/// <summary>
/// A partition of a topic on one replica: the replicated <see cref="PartitionState"/>; on the leader the produces on their way
/// (<see cref="ProducePath"/>), moves of the log's start, and reads. A leader that was cut off does not know it yet, and its state may be
/// old. So what it would say for good from state alone (an offset lies above the log) is said only after a quorum has confirmed it.
/// </summary>
internal sealed class Partition : IStateMachine
{
    /// <summary>Looking through everything on its way for passed deadlines is done this often.</summary>
    private const int DeadlineCheckMs = 50;

    private readonly IReplica _replica;
    private readonly IClock _clock;
    private readonly PartitionState _state;
    private readonly ProducePath _produces;
    private readonly LogStartMover _logStart;
    private readonly ReadWaiters _readers = new();
    private long _nextDeadlineCheckMs;

    public Partition(
        IReplica replica, IClock clock, BrokerLimits limits, UncommittedBudget budget, HoldCounts holds, PartitionConfig config)
    {
        _replica = replica;
        _clock = clock;
        _state = new PartitionState(limits.ProducersPerPartition);
        _produces = new ProducePath(replica, clock, limits, budget, holds, _state, config);
        _logStart = new LogStartMover(replica, clock, _state);
    }

    public PartitionConfig Config => _produces.Config;

    public PartitionState State => _state;

    /// <summary>Produces on their way or waiting.</summary>
    public int PendingCount => _produces.Count;

    /// <summary>Produces that wait for room or for a leader.</summary>
    public int WaitingCount => _produces.WaitingCount;

    public void Configure(PartitionConfig next)
    {
        _produces.Config = next;
        _replica.Log.Tail.Roll = new RollPolicy(next.SegmentBytes, next.SegmentMs);
    }

    /// <summary>
    /// From now on <see cref="Config"/> is what the cluster had decided when this node stopped, or newer. Until then nothing is admitted: an
    /// ack by defaults could be one that min.insync.replicas forbids.
    /// </summary>
    public void SettingsAreKnown() => _produces.SettingsAreKnown();

    // --- replicated ---

    public void Apply(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        _state.Apply(header, payload);
        _produces.Applied(header, payload);
    }

    public void WriteSnapshot(ByteWriter writer) => _state.WriteSnapshot(writer);

    public bool TryReadSnapshot(ReadOnlySpan<byte> bytes) => _state.TryReadSnapshot(bytes);

    // --- the leader's part ---

    public void StartServing()
    {
        _produces.StartServing();
        _readers.WakeAll();
    }

    public void StopServing()
    {
        _produces.StopServing();
        _logStart.StopServing();
        _readers.WakeAll();
    }

    public void LeaderIsElsewhere() => _produces.LeaderIsElsewhere();

    public void AfterProgress()
    {
        if (_replica.IsServing)
        {
            _produces.AnswerApplied();

            // Before the sends, which would take whatever room there is: what is deleted makes room on the disk.
            _logStart.PursueDeletes();
            _produces.AdmitWaiting();
        }

        if (_state.LogStart > _replica.Log.LogStartOffset)
        {
            _replica.Log.CutTo(_state.LogStart);
        }

        _readers.WakeBelow(_state.HighWatermark);
    }

    /// <summary>
    /// A committed batch may wait for a voter that is gone (min.insync.replicas above the majority): the group is quiet then, and the
    /// producer's time still runs.
    /// </summary>
    public bool TicksWhileQuiet => PendingCount > 0 || _logStart.HasWaiting;

    public void Tick()
    {
        long now = _clock.MonotonicMs;
        if (now < _nextDeadlineCheckMs)
        {
            return;
        }

        _nextDeadlineCheckMs = now + DeadlineCheckMs;
        _produces.AnswerOverdue(now);
        _logStart.PursueDeletes();
        _produces.AdmitWaiting();
    }

    /// <summary>About once a second, on every replica: retention, and files that could not go before.</summary>
    public void Housekeep()
    {
        if (_state.LogStart > 0)
        {
            _replica.Log.CutTo(_state.LogStart);
        }

        _logStart.Retain(Config);
    }

    public void Produce(ProduceCommand command) => _produces.Produce(command);

    /// <inheritdoc cref="LogStartMover.DeleteRecords"/>
    public void DeleteRecords(long beforeOffset, long deadlineMs, IAdminCompletion completion) =>
        _logStart.DeleteRecords(beforeOffset, deadlineMs, completion);

    /// <summary>The node's journal takes new records again.</summary>
    public void RoomCame() => _produces.AdmitWaiting();

    public void Read(ReadCommand command)
    {
        if (Fence(command.LeaderEpoch) is { } fenced)
        {
            command.Completion.Completed(command, Refused(fenced));
            return;
        }

        if (command.Offset > ReadableEnd && !_replica.IsServing)
        {
            // A new leader does not know yet how far the old one had shown its log: not out of range, ask again.
            command.Completion.Completed(command, Refused(ReadOutcome.NotLeader));
            return;
        }

        if (command.Offset > ReadableEnd)
        {
            Probe.Reached(RareBranch.ReadAboveEndConfirmed);

            // A leader that was cut off would send a consumer back that has read on at the next one.
            _replica.ConfirmLeader(new WhenConfirmed(
                () => ReadAboveEnd(command), () => command.Completion.Completed(command, Refused(ReadOutcome.NotLeader))));
            return;
        }

        if (command.Offset < _state.LogStart)
        {
            command.Completion.Completed(command, Refused(ReadOutcome.OffsetOutOfRange));
            return;
        }

        if (command.Offset == ReadableEnd)
        {
            command.Completion.Completed(command, Refused(ReadOutcome.Ok));
            return;
        }

        PartitionReader.Read(this, _replica, command);
    }

    /// <summary>This replica led when it was asked. What has become visible since is read: nothing at all would be denied by the high watermark beside it.</summary>
    private void ReadAboveEnd(ReadCommand command)
    {
        if (command.Offset > ReadableEnd)
        {
            command.Completion.Completed(command, Refused(ReadOutcome.OffsetOutOfRange));
        }
        else
        {
            Read(command);
        }
    }

    public void WaitForRecords(long offset, IReadWaiter waiter)
    {
        if (!_replica.IsLeader || _state.HighWatermark > offset)
        {
            waiter.Wake();
            return;
        }

        _readers.Add(offset, waiter);
    }

    public void StopWaiting(IReadWaiter waiter) => _readers.Remove(waiter);

    public void FindOffset(OffsetQuery query, long timestampMs, int leaderEpoch, Action<OffsetResult> completion)
    {
        ReadOutcome? fenced = Fence(leaderEpoch);
        if (fenced is null && !_replica.IsServing)
        {
            fenced = ReadOutcome.NotLeader;
        }

        if (fenced is { } outcome)
        {
            completion(new OffsetResult(outcome, -1, -1, -1));
            return;
        }

        switch (query)
        {
            case OffsetQuery.Earliest:
                completion(OffsetFound(_state.LogStart, -1));
                break;
            case OffsetQuery.Latest:
                // The end of the log as a quorum knows it: who reads up to here has read all that was acknowledged before the question.
                _replica.ConfirmLeader(new WhenConfirmed(
                    () => completion(OffsetFound(_state.HighWatermark, -1)),
                    () => completion(new OffsetResult(ReadOutcome.NotLeader, -1, -1, -1))));
                break;
            case OffsetQuery.MaxTimestamp:
                PartitionReader.FindGreatestTime(this, _replica, completion);
                break;
            default:
                PartitionReader.FindTime(this, _replica, timestampMs, completion);
                break;
        }
    }

    public EpochEndResult FindEpochEnd(int epoch, int leaderEpoch)
    {
        ReadOutcome? fenced = Fence(leaderEpoch);
        if (fenced is null && !_replica.IsServing)
        {
            fenced = ReadOutcome.NotLeader;
        }

        if (fenced is { } outcome)
        {
            return new EpochEndResult(outcome, -1, -1);
        }

        return _replica.Log.Tail.Terms.EndOf(new Term(epoch), _state.HighWatermark) is { } found
            ? new EpochEndResult(ReadOutcome.Ok, found.Term.Value, found.EndOffset)
            : new EpochEndResult(ReadOutcome.Ok, -1, -1);
    }

    /// <summary>Consumers read records below it.</summary>
    internal long ReadableEnd => PlantedBug.UncommittedRead ? LogEnd : _state.HighWatermark;

    internal long LogEnd => _replica.Log.NextOffset;

    internal ReadResult Refused(ReadOutcome outcome) => new(outcome, [], 0, PlantedBug.HighWatermarkOfLog ? LogEnd : _state.HighWatermark, _state.LogStart);

    internal OffsetResult OffsetFound(long offset, long timestampMs)
    {
        // The epoch of the record, which clients keep to detect truncation (KIP-320).
        Term epoch = _replica.Term;
        foreach (TermStart start in _replica.Log.Tail.Terms.Starts)
        {
            if (start.FirstOffset <= offset && offset < _state.HighWatermark)
            {
                epoch = start.Term;
            }
        }

        return new OffsetResult(ReadOutcome.Ok, offset, timestampMs, epoch.Value);
    }

    private ReadOutcome? Fence(int leaderEpoch)
    {
        if (!_replica.IsLeader)
        {
            return ReadOutcome.NotLeader;
        }

        if (leaderEpoch >= 0 && leaderEpoch != _replica.Term.Value)
        {
            return leaderEpoch < _replica.Term.Value ? ReadOutcome.FencedLeaderEpoch : ReadOutcome.UnknownLeaderEpoch;
        }

        return null;
    }
}
