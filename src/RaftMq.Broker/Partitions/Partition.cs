using System.Buffers.Binary;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Records;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Partitions;

/// <summary>
/// A partition of a topic on one replica: the replicated <see cref="PartitionState"/>, and on the leader the produces on their way.
/// Life of a produce here:
/// 1. <see cref="Produce"/>: refused, or held (no leader known, leadership not settled, no room), or
/// 2. admitted: checked against state and overlay, copied into the log, proposed;
/// 3. applied, hence committed and visible;
/// 4. answered, once min.insync.replicas have it too.
/// A leader that was cut off does not know it yet, and its state may be old. So what it would say for good from state alone (a sequence
/// is wrong, an offset lies above the log) is said only after a quorum has confirmed it.
/// </summary>
internal sealed class Partition(
    IReplica replica, IClock clock, BrokerLimits limits, UncommittedBudget budget, HoldCounts holds, PartitionConfig config)
    : IStateMachine
{
    /// <summary>Looking through everything on its way for passed deadlines is done this often.</summary>
    private const int DeadlineCheckMs = 50;

    /// <summary>A segment is files and a checkpoint: one whose records are all gone makes place for the next at this age at the earliest.</summary>
    private const long EmptySegmentMsMin = 10 * 60 * 1_000;

    private const string JournalFull = "The leader's journal was full or its disk too slow for what comes; reads go on.";

    private readonly PartitionState _state = new(limits.ProducersPerPartition);
    private readonly PendingProduces _pending = new();
    private readonly HeldProduces _held = new();
    private readonly ReadWaiters _readers = new();
    private readonly PendingDeletes _deletes = new();
    private readonly List<PendingProduce> _overdue = [];
    private readonly List<ProduceCommand> _overdueUnproposed = [];
    private readonly List<ProduceCommand> _overdueOrphans = [];
    private SequenceCheck _sequences = null!;
    private bool _settingsAreKnown;

    /// <summary>Produces that would be refused by their sequence, were it certain that this replica leads.</summary>
    private int _unconfirmed;

    private long _budgeted;
    private long _nextDeadlineCheckMs;

    /// <summary>The greatest log start that this leadership has proposed: it is on its way, or reached. 0 while not serving.</summary>
    private long _proposedLogStart;

    public PartitionConfig Config { get; private set; } = config;

    public PartitionState State => _state;

    public int PendingCount => _pending.Count + _held.Count + _unconfirmed;

    public int WaitingCount => _held.UnproposedCount;

    public void Configure(PartitionConfig next)
    {
        Config = next;
        replica.Log.Tail.Roll = new RollPolicy(next.SegmentBytes, next.SegmentMs);
    }

    /// <summary>
    /// From now on <see cref="Config"/> is what the cluster had decided when this node stopped, or newer. Until then nothing is admitted: an
    /// ack by defaults could be one that min.insync.replicas forbids.
    /// </summary>
    public void SettingsAreKnown()
    {
        if (!_settingsAreKnown)
        {
            _settingsAreKnown = true;
            AdmitWaiting();
        }
    }

    // --- replicated ---

    public void Apply(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        _state.Apply(header, payload);
        if (_budgeted > 0 && header.Kind == EntryKinds.Data)
        {
            // Entries of earlier leaders were never counted here, so what is given back is at most what was taken.
            long bytes = Math.Min(_budgeted, header.LengthBytes);
            budget.Release(bytes);
            _budgeted -= bytes;
        }

        if (replica.IsServing && header.Kind == EntryKinds.Data
            && RecordBatchHeader.TryRead(payload, out RecordBatchHeader batch) && PartitionState.StampOf(batch) is { } stamp)
        {
            _sequences.Applied(stamp, header.Index);
        }
    }

    public void WriteSnapshot(ByteWriter writer) => _state.WriteSnapshot(writer);

    public bool TryReadSnapshot(ReadOnlySpan<byte> bytes) => _state.TryReadSnapshot(bytes);

    // --- the leader's part ---

    public void StartServing()
    {
        _sequences = new SequenceCheck(_state.Producers);

        // Sent again they are recognised by their sequence, or, without one, are the client's to send again or not.
        RefuseOrphans();
        AdmitWaiting();
        _readers.WakeAll();
    }

    public void StopServing()
    {
        _sequences?.Clear();
        budget.Release(_budgeted);
        _budgeted = 0;
        while (_pending.TryTakeAny(out PendingProduce pending))
        {
            _held.AddOrphan(pending.Command);
        }

        _proposedLogStart = 0;
        _deletes.RefuseAll();
        _readers.WakeAll();
    }

    public void LeaderIsElsewhere()
    {
        RefuseOrphans();
        while (_held.TryTakeUnproposed(out ProduceCommand waiting))
        {
            Refuse(waiting, ProduceOutcome.NotLeader);
        }
    }

    public void AfterProgress()
    {
        if (replica.IsServing)
        {
            AnswerApplied();

            // Before the sends, which would take whatever room there is: what is deleted makes room on the disk.
            PursueDeletes(clock.MonotonicMs);
            AdmitWaiting();
        }

        if (_state.LogStart > replica.Log.LogStartOffset)
        {
            replica.Log.CutTo(_state.LogStart);
        }

        _readers.WakeBelow(_state.HighWatermark);
    }

    /// <summary>
    /// A committed batch may wait for a voter that is gone (min.insync.replicas above the majority): the group is quiet then, and the
    /// producer's time still runs.
    /// </summary>
    public bool TicksWhileQuiet => PendingCount > 0 || _deletes.Count > 0;

    public void Tick()
    {
        long now = clock.MonotonicMs;
        if (now < _nextDeadlineCheckMs)
        {
            return;
        }

        _nextDeadlineCheckMs = now + DeadlineCheckMs;
        _pending.TakeOverdue(now, _overdue);
        foreach (PendingProduce overdue in _overdue)
        {
            Answer(overdue.Command, new ProduceResult(
                overdue.Index <= replica.Applied ? ProduceOutcome.NotEnoughReplicasAfterAppend : ProduceOutcome.TimedOut));
        }

        _overdue.Clear();
        AnswerOverdueHeld(now);
        PursueDeletes(now);
        AdmitWaiting();
    }

    /// <summary>About once a second, on every replica: retention, and files that could not go before.</summary>
    public void Housekeep()
    {
        if (_state.LogStart > 0)
        {
            replica.Log.CutTo(_state.LogStart);
        }

        if (replica.IsServing
            && replica.Log.RetentionStart(
                clock.UnixMs, Config.RetentionMs, Config.RetentionBytes, _state.HighWatermark) is { } start)
        {
            TryProposeLogStart(Math.Min(start, _state.HighWatermark));
        }
    }

    /// <summary>
    /// Kafka's DeleteRecords: raises the log start, answered when that is committed. Proposed again and again until there is room for it or
    /// its deadline is past.
    /// </summary>
    /// <param name="beforeOffset">-1: the high watermark. What is below that names nothing and is refused.</param>
    public void DeleteRecords(long beforeOffset, long deadlineMs, IAdminCompletion completion)
    {
        long offset = beforeOffset == -1 ? _state.HighWatermark : beforeOffset;
        if (!replica.IsServing)
        {
            completion.Completed(new AdminResult(AdminOutcome.NotLeader, "This node does not lead the partition."));
        }
        else if (offset < 0)
        {
            completion.Completed(new AdminResult(AdminOutcome.OffsetOutOfRange, $"{beforeOffset} is no offset."));
        }
        else if (offset > _state.HighWatermark)
        {
            // A leader that was cut off does not know how far the log reaches by now.
            replica.ConfirmLeader(new WhenConfirmed(
                () => DeleteWhenInRange(offset, deadlineMs, completion),
                () => completion.Completed(new AdminResult(AdminOutcome.NotLeader, "The partition's leader changed."))));
        }
        else if (_deletes.Count >= PendingDeletes.WaitingMax)
        {
            completion.Completed(new AdminResult(AdminOutcome.TimedOut, "Too many deletions wait for this partition; try again."));
        }
        else
        {
            _deletes.Add(offset, deadlineMs, completion);
            PursueDeletes(clock.MonotonicMs);
        }
    }

    public void Produce(ProduceCommand command)
    {
        if (replica.IsLeaderElsewhere)
        {
            Refuse(command, ProduceOutcome.NotLeader);
        }
        else if (CanAdmit && _held.UnproposedCount == 0 && TryAdmit(command))
        {
            return;
        }
        else if (_held.UnproposedCount >= limits.WaitingProducesPerPartition)
        {
            Refuse(command, ProduceOutcome.TimedOut, "Too many sends wait for this partition.");
        }
        else
        {
            holds.ProducesHeld++;
            _held.Add(command);
        }
    }

    /// <summary>The node's journal takes new records again.</summary>
    public void RoomCame() => AdmitWaiting();

    public void Read(ReadCommand command)
    {
        if (Fence(command.LeaderEpoch) is { } fenced)
        {
            command.Completion.Completed(command, Refused(fenced));
            return;
        }

        if (command.Offset > _state.HighWatermark && !replica.IsServing)
        {
            // A new leader does not know yet how far the old one had shown its log: not out of range, ask again.
            command.Completion.Completed(command, Refused(ReadOutcome.NotLeader));
            return;
        }

        if (command.Offset > _state.HighWatermark)
        {
            // A leader that was cut off would send a consumer back that has read on at the next one.
            replica.ConfirmLeader(new WhenConfirmed(
                () => command.Completion.Completed(command, Refused(
                    command.Offset > _state.HighWatermark ? ReadOutcome.OffsetOutOfRange : ReadOutcome.Ok)),
                () => command.Completion.Completed(command, Refused(ReadOutcome.NotLeader))));
            return;
        }

        if (command.Offset < _state.LogStart)
        {
            command.Completion.Completed(command, Refused(ReadOutcome.OffsetOutOfRange));
            return;
        }

        if (command.Offset == _state.HighWatermark)
        {
            command.Completion.Completed(command, Refused(ReadOutcome.Ok));
            return;
        }

        PartitionReader.Read(this, replica, command);
    }

    public void WaitForRecords(long offset, IReadWaiter waiter)
    {
        if (!replica.IsLeader || _state.HighWatermark > offset)
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
        if (fenced is null && !replica.IsServing)
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
                replica.ConfirmLeader(new WhenConfirmed(
                    () => completion(OffsetFound(_state.HighWatermark, -1)),
                    () => completion(new OffsetResult(ReadOutcome.NotLeader, -1, -1, -1))));
                break;
            default:
                PartitionReader.FindTime(this, replica, query, timestampMs, completion);
                break;
        }
    }

    public EpochEndResult FindEpochEnd(int epoch, int leaderEpoch)
    {
        ReadOutcome? fenced = Fence(leaderEpoch);
        if (fenced is null && !replica.IsServing)
        {
            fenced = ReadOutcome.NotLeader;
        }

        if (fenced is { } outcome)
        {
            return new EpochEndResult(outcome, -1, -1);
        }

        return replica.Log.Tail.Terms.EndOf(new Term(epoch), _state.HighWatermark) is { } found
            ? new EpochEndResult(ReadOutcome.Ok, found.Term.Value, found.EndOffset)
            : new EpochEndResult(ReadOutcome.Ok, -1, -1);
    }

    internal ReadResult Refused(ReadOutcome outcome) => new(outcome, [], 0, _state.HighWatermark, _state.LogStart);

    internal OffsetResult OffsetFound(long offset, long timestampMs)
    {
        // The epoch of the record, which clients keep to detect truncation (KIP-320).
        Term epoch = replica.Term;
        foreach (TermStart start in replica.Log.Tail.Terms.Starts)
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
        if (!replica.IsLeader)
        {
            return ReadOutcome.NotLeader;
        }

        if (leaderEpoch >= 0 && leaderEpoch != replica.Term.Value)
        {
            return leaderEpoch < replica.Term.Value ? ReadOutcome.FencedLeaderEpoch : ReadOutcome.UnknownLeaderEpoch;
        }

        return null;
    }

    private bool CanAdmit => replica.IsServing && _settingsAreKnown;

    private void AdmitWaiting()
    {
        while (CanAdmit && _held.TryPeek(out ProduceCommand waiting) && TryAdmit(waiting))
        {
            _held.Dequeue();
        }
    }

    /// <summary>False when it has to wait for room; true when it is on its way, refused, or about to be.</summary>
    /// <param name="isConfirmed">A quorum has confirmed this leader after the batch came.</param>
    private bool TryAdmit(ProduceCommand command, bool isConfirmed = false)
    {
        bool whole = RecordBatchHeader.TryRead(command.Batch.Span, out RecordBatchHeader batch);
        Invariant.Holds(whole);
        Invariant.Holds(batch.SizeBytes == command.Batch.Length);
        long nowMs = clock.UnixMs;
        if (RefusalOf(command, batch, nowMs) is { } refusal)
        {
            Refuse(command, refusal.Outcome, refusal.Message);
            return true;
        }

        ProducerStamp? stamp = PartitionState.StampOf(batch);
        if (stamp is { } sequence)
        {
            SequenceVerdict verdict = _sequences.Check(sequence, out ProducedBatch stored, out LogIndex inFlight);
            if (verdict != SequenceVerdict.Next)
            {
                if (IsRefusal(verdict) && !isConfirmed)
                {
                    ConfirmBeforeRefusing(command);
                }
                else
                {
                    AdmitDuplicateOrRefuse(command, verdict, stored, inFlight);
                }

                return true;
            }
        }

        if (replica.InSyncCount < Config.MinInSyncReplicas)
        {
            Refuse(command, ProduceOutcome.NotEnoughReplicas,
                $"{replica.InSyncCount} replicas are in sync, min.insync.replicas is {Config.MinInSyncReplicas}.");
            return true;
        }

        int entryBytes = EntryLayout.HeaderBytes + command.Batch.Length;
        if (!replica.StoreHasRoom || !budget.HasRoom(entryBytes) || replica.Admit(entryBytes) is not ProposeResult.Admitted admitted)
        {
            return false;
        }

        budget.Take(entryBytes);
        _budgeted += entryBytes;
        Append(command, batch, stamp, admitted.Term, nowMs);
        return true;
    }

    private void Append(ProduceCommand command, in RecordBatchHeader batch, ProducerStamp? stamp, Term term, long nowMs)
    {
        LogTail tail = replica.Log.Tail;
        long appendTimeMs = -1;
        Entry entry;
        if (Config.LogAppendTime)
        {
            appendTimeMs = nowMs;
            EntryHeader header = tail.NextHeader(term, EntryKinds.Data, batch.SizeBytes, batch.RecordCount, nowMs);
            entry = tail.Encode(header, command.Batch.Span, static (Span<byte> payload, in EntryHeader header) =>
            {
                StoredBatch.Patch(payload, header.BaseOffset, header.Term.Value);
                RecordBatchPatch.SetLogAppendTime(payload, header.TimestampMs);
            });
        }
        else
        {
            // Records without a time of their own are as old as their arrival.
            entry = tail.EncodeBatch(
                term, command.Batch.Span, batch.RecordCount, batch.MaxTimestampMs >= 0 ? batch.MaxTimestampMs : nowMs);
        }

        long baseOffset = EntryLayout.ReadUnchecked(entry.Bytes.Span).BaseOffset;
        if (stamp is { } sequence)
        {
            _sequences.Propose(sequence, entry.Index);
        }

        _pending.Add(new PendingProduce(entry.Index, baseOffset, appendTimeMs, command));
        replica.Propose(entry);
        command.Completion.Admitted(command);
    }

    private (ProduceOutcome Outcome, string? Message)? RefusalOf(
        ProduceCommand command, in RecordBatchHeader batch, long nowMs)
    {
        if (command.DeadlineMs <= clock.MonotonicMs)
        {
            return (ProduceOutcome.TimedOut, null);
        }

        if (replica.Log.NoRoom)
        {
            return (ProduceOutcome.DiskFull, "The leader's disk is full: free room or lower retention; reads go on.");
        }

        if (batch.SizeBytes > Config.MessageBytesMax)
        {
            return (ProduceOutcome.TooLarge,
                $"The batch takes {batch.SizeBytes} bytes, max.message.bytes of {Config.Topic} is {Config.MessageBytesMax}.");
        }

        if (!Config.LogAppendTime && batch.MaxTimestampMs >= 0
            && (batch.MaxTimestampMs - nowMs > Config.TimestampAfterMaxMs
                || nowMs - batch.BaseTimestampMs > Config.TimestampBeforeMaxMs))
        {
            return (ProduceOutcome.InvalidTimestamp,
                $"A record's timestamp is outside of what {Config.Topic} takes (message.timestamp.before.max.ms, .after.max.ms).");
        }

        return null;
    }

    private void AdmitDuplicateOrRefuse(
        ProduceCommand command, SequenceVerdict verdict, in ProducedBatch stored, LogIndex inFlight)
    {
        switch (verdict)
        {
            case SequenceVerdict.Stored:
                // Its entry is not remembered, but everything applied is at or behind it: the same ack conditions, or stricter.
                long appendTimeMs = Config.LogAppendTime ? stored.TimestampMs : -1;
                _pending.AddDuplicate(new PendingProduce(replica.Applied, stored.BaseOffset, appendTimeMs, command));
                command.Completion.Admitted(command);
                AnswerApplied();
                break;
            case SequenceVerdict.InFlight:
                // Read from the entry: whoever sent it first may have given up waiting.
                EntryHeader original = EntryLayout.ReadUnchecked(replica.Log.Tail.BytesAt(inFlight).Span);
                _pending.AddDuplicate(new PendingProduce(
                    inFlight, original.BaseOffset, Config.LogAppendTime ? original.TimestampMs : -1, command));
                command.Completion.Admitted(command);
                break;
            default:
                Refuse(command, OutcomeOf(verdict));
                break;
        }
    }

    private static bool IsRefusal(SequenceVerdict verdict) =>
        verdict is not (SequenceVerdict.Next or SequenceVerdict.Stored or SequenceVerdict.InFlight);

    private void ConfirmBeforeRefusing(ProduceCommand command)
    {
        if (_unconfirmed >= limits.WaitingProducesPerPartition)
        {
            Refuse(command, ProduceOutcome.TimedOut, "Too many sends wait for this partition.");
            return;
        }

        _unconfirmed++;
        replica.ConfirmLeader(new WhenConfirmed(
            () =>
            {
                _unconfirmed--;
                if (!CanAdmit || !TryAdmit(command, isConfirmed: true))
                {
                    Produce(command);
                }
            },
            () =>
            {
                _unconfirmed--;
                Produce(command);
            }));
    }

    private static ProduceOutcome OutcomeOf(SequenceVerdict verdict) => verdict switch
    {
        SequenceVerdict.OutOfOrder => ProduceOutcome.OutOfOrderSequence,
        SequenceVerdict.TooOld => ProduceOutcome.DuplicateSequence,
        SequenceVerdict.FencedEpoch => ProduceOutcome.InvalidProducerEpoch,
        SequenceVerdict.UnknownProducer => ProduceOutcome.UnknownProducerId,
        _ => throw new InvariantViolationException($"{verdict} is no refusal."),
    };

    private void AnswerApplied()
    {
        if (_pending.Count == 0)
        {
            return;
        }

        LogIndex ackable = replica.Applied;
        if (Config.MinInSyncReplicas > (replica.VoterCount / 2) + 1)
        {
            ackable = LogIndex.Min(ackable, replica.DurableOn(Config.MinInSyncReplicas));
        }

        while (_pending.TryTake(ackable, out PendingProduce done))
        {
            Answer(done.Command, new ProduceResult(
                ProduceOutcome.Stored, done.BaseOffset, done.LogAppendTimeMs, _state.LogStart));
        }
    }

    private void DeleteWhenInRange(long offset, long deadlineMs, IAdminCompletion completion)
    {
        if (offset > _state.HighWatermark)
        {
            completion.Completed(new AdminResult(
                AdminOutcome.OffsetOutOfRange, $"The partition's high watermark is {_state.HighWatermark}."));
        }
        else
        {
            DeleteRecords(offset, deadlineMs, completion);
        }
    }

    private void PursueDeletes(long nowMs)
    {
        if (_deletes.Count > 0)
        {
            _deletes.Answer(_state.LogStart, nowMs);
            TryProposeLogStart(_deletes.HighestOffset);
        }
    }

    /// <summary>Raises the log start by an entry, unless one is on its way already or there is no room now.</summary>
    private void TryProposeLogStart(long offset)
    {
        Invariant.Holds(offset <= _state.HighWatermark);
        if (!replica.IsServing || offset <= Math.Max(_state.LogStart, _proposedLogStart)
            || replica.Admit(EntryLayout.HeaderBytes + sizeof(long)) is not ProposeResult.Admitted admitted)
        {
            return;
        }

        Span<byte> payload = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, offset);
        LogTail tail = replica.Log.Tail;

        // With nothing left in front of it the log goes on in a new segment, so that the files of the old one can go too.
        RollPolicy? roll = offset == tail.NextOffset
            ? new RollPolicy(Config.SegmentBytes, Math.Min(Config.SegmentMs, EmptySegmentMsMin))
            : null;
        EntryHeader header = tail.NextHeader(
            admitted.Term, StateEntryKinds.LogStart, payload.Length, recordCount: 0, clock.UnixMs, roll);
        replica.Propose(tail.Encode(header, payload));
        _proposedLogStart = offset;
    }

    /// <summary>Another leadership decides what becomes of their entries: the client has to ask there.</summary>
    private void RefuseOrphans()
    {
        while (_held.TryTakeOrphan(out ProduceCommand orphan))
        {
            Answer(orphan, new ProduceResult(ProduceOutcome.NotLeader));
        }
    }

    private void AnswerOverdueHeld(long now)
    {
        if (_held.Count == 0)
        {
            return;
        }

        _held.TakeOverdue(now, _overdueUnproposed, _overdueOrphans);
        foreach (ProduceCommand unproposed in _overdueUnproposed)
        {
            holds.ProducesTimedOut++;
            Refuse(unproposed, ProduceOutcome.TimedOut, replica.StoreHasRoom ? null : JournalFull);
        }

        foreach (ProduceCommand orphan in _overdueOrphans)
        {
            Answer(orphan, new ProduceResult(ProduceOutcome.TimedOut));
        }

        _overdueUnproposed.Clear();
        _overdueOrphans.Clear();
    }

    private static void Refuse(ProduceCommand command, ProduceOutcome outcome, string? message = null)
    {
        IProduceCompletion completion = command.Completion;
        completion.Admitted(command);
        completion.Completed(command, new ProduceResult(outcome, Message: message));
    }

    private static void Answer(ProduceCommand command, in ProduceResult result) =>
        command.Completion.Completed(command, result);
}
