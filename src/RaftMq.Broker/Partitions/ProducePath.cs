using RaftMq.Broker.Environment;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Records;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Partitions;

/// <summary>
/// The produces of a partition on their way, on the leader. Life of one:
/// 1. <see cref="Produce"/>: refused, or held (no leader known, leadership not settled, no room), or
/// 2. admitted: checked against state and overlay, copied into the log, proposed;
/// 3. applied, hence committed and visible;
/// 4. answered, once min.insync.replicas have it too.
/// A leader that was cut off does not know it yet, and its state may be old: a sequence is refused only after a quorum has confirmed it.
/// </summary>
internal sealed class ProducePath(
    IReplica replica, IClock clock, BrokerLimits limits, UncommittedBudget budget, HoldCounts holds, PartitionState state,
    PartitionConfig config)
{
    private const string JournalFull = "The leader's journal was full or its disk too slow for what comes; reads go on.";

    private readonly PendingProduces _pending = new();
    private readonly HeldProduces _held = new();
    private readonly List<PendingProduce> _overdue = [];
    private readonly List<ProduceCommand> _overdueUnproposed = [];
    private readonly List<ProduceCommand> _overdueOrphans = [];
    private SequenceCheck _sequences = null!;
    private bool _settingsAreKnown;

    /// <summary>Produces that would be refused by their sequence, were it certain that this replica leads.</summary>
    private int _unconfirmed;

    private long _budgeted;

    public PartitionConfig Config { get; set; } = config;

    public int Count => _pending.Count + _held.Count + _unconfirmed;

    public int WaitingCount => _held.UnproposedCount;

    /// <summary>See <see cref="Partition.SettingsAreKnown"/>.</summary>
    public void SettingsAreKnown()
    {
        if (!_settingsAreKnown)
        {
            _settingsAreKnown = true;
            AdmitWaiting();
        }
    }

    public void StartServing()
    {
        _sequences = PlantedBug.OverlayKeptAcrossLeaderships && _sequences is not null ? _sequences : new SequenceCheck(state.Producers);

        // Sent again they are recognised by their sequence, or, without one, are the client's to send again or not.
        RefuseOrphans();
        AdmitWaiting();
    }

    public void StopServing()
    {
        if (!PlantedBug.OverlayKeptAcrossLeaderships)
        {
            _sequences?.Clear();
        }

        budget.Release(_budgeted);
        _budgeted = 0;
        while (_pending.TryTakeAny(out PendingProduce pending))
        {
            _held.AddOrphan(pending.Command);
        }
    }

    public void LeaderIsElsewhere()
    {
        RefuseOrphans();
        while (_held.TryTakeUnproposed(out ProduceCommand waiting))
        {
            Refuse(waiting, ProduceOutcome.NotLeader);
        }
    }

    /// <summary>The state has taken the entry.</summary>
    public void Applied(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Kind != EntryKinds.Data)
        {
            return;
        }

        if (_budgeted > 0)
        {
            // Entries of earlier leaders were never counted here, so what is given back is at most what was taken.
            long bytes = Math.Min(_budgeted, header.LengthBytes);
            budget.Release(bytes);
            _budgeted -= bytes;
        }

        if (replica.IsServing
            && RecordBatchHeader.TryRead(payload, out RecordBatchHeader batch) && PartitionState.StampOf(batch) is { } stamp)
        {
            _sequences.Applied(stamp, header.Index);
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
            replica.WantTicks();
        }
    }

    /// <summary>Answers what is applied, and where min.insync.replicas asks for more, durable on so many.</summary>
    public void AnswerApplied()
    {
        if (_pending.Count == 0)
        {
            return;
        }

        LogIndex ackable = replica.Applied;
        if (!PlantedBug.MinInSyncIgnored && Config.MinInSyncReplicas > replica.HoldersOfCommitted)
        {
            ackable = LogIndex.Min(ackable, replica.DurableOn(Config.MinInSyncReplicas));
        }

        while (_pending.TryTake(ackable, out PendingProduce done))
        {
            Answer(done.Command, new ProduceResult(
                ProduceOutcome.Stored, done.BaseOffset, done.LogAppendTimeMs, state.LogStart));
        }
    }

    /// <summary>Answers what waits for longer than its client does.</summary>
    public void AnswerOverdue(long nowMs)
    {
        _pending.TakeOverdue(nowMs, _overdue);
        foreach (PendingProduce overdue in _overdue)
        {
            Answer(overdue.Command, new ProduceResult(
                overdue.Index <= replica.Applied ? ProduceOutcome.NotEnoughReplicasAfterAppend : ProduceOutcome.TimedOut));
        }

        _overdue.Clear();
        AnswerOverdueHeld(nowMs);
    }

    private bool CanAdmit => replica.IsServing && _settingsAreKnown;

    /// <summary>Takes what waits, in its order, as far as there is room.</summary>
    public void AdmitWaiting()
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

        // Behind the duplicates: these need no room, and their acknowledgement is owed.
        if (replica.NoRoomBecause is { } noRoom)
        {
            Refuse(command, ProduceOutcome.DiskFull, noRoom);
            return true;
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

        if (batch.SizeBytes > (Config.MessageBytesMax ?? limits.RecordBatchBytesMax))
        {
            return (ProduceOutcome.TooLarge, Config.MessageBytesMax is { } ofTopic
                ? $"The batch takes {batch.SizeBytes} bytes, max.message.bytes of {Config.Topic} is {ofTopic}."
                : $"The batch takes {batch.SizeBytes} bytes, limits.record.batch.bytes of the leader is {limits.RecordBatchBytesMax}.");
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
                Probe.Reached(RareBranch.DuplicateOfStored);

                // Its entry is not remembered, but everything applied is at or behind it: the same ack conditions, or stricter.
                long appendTimeMs = Config.LogAppendTime ? stored.TimestampMs : -1;
                WaitAsDuplicate(new PendingProduce(
                    replica.Applied, PlantedBug.DuplicateGetsNewOffset ? state.HighWatermark : stored.BaseOffset, appendTimeMs, command));
                command.Completion.Admitted(command);
                AnswerApplied();
                break;
            case SequenceVerdict.InFlight:
                Probe.Reached(RareBranch.DuplicateOfInFlight);

                // Read from the entry: whoever sent it first may have given up waiting.
                EntryHeader original = EntryLayout.ReadUnchecked(replica.Log.Tail.BytesAt(inFlight).Span);
                WaitAsDuplicate(new PendingProduce(
                    PlantedBug.DuplicateAckedInFlight ? replica.Applied : inFlight, original.BaseOffset, Config.LogAppendTime ? original.TimestampMs : -1, command));
                command.Completion.Admitted(command);
                if (PlantedBug.DuplicateAckedInFlight && Count > 0)
                {
                    AnswerApplied();
                }

                break;
            default:
                Probe.Reached(RareBranch.RefusalConfirmed);
                Refuse(command, OutcomeOf(verdict));
                break;
        }
    }

    private void WaitAsDuplicate(in PendingProduce duplicate)
    {
        _pending.AddDuplicate(duplicate);
        replica.WantTicks();
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

    /// <summary>Another leadership decides what becomes of their entries: the client has to ask there.</summary>
    private void RefuseOrphans()
    {
        while (_held.TryTakeOrphan(out ProduceCommand orphan))
        {
            Probe.Reached(RareBranch.OrphanRefused);
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
