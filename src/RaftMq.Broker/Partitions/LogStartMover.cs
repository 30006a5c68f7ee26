using System.Buffers.Binary;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Partitions;

/// <summary>
/// Moves the start of a partition's log, on the leader: by retention, and for Kafka's DeleteRecords. The new start is an entry, so that all replicas
/// begin at the same offset.
/// </summary>
internal sealed class LogStartMover(IReplica replica, IClock clock, PartitionState state)
{
    /// <summary>A segment is files and a checkpoint: one whose records are all gone makes place for the next at this age at the earliest.</summary>
    private const long EmptySegmentMsMin = 10 * 60 * 1_000;

    /// <summary>
    /// Kafka looks at retention this often (log.retention.check.interval.ms): who writes records of last year and reads them at once expects to
    /// find them. So what came last stays for as long, though its own time be long ago; or for retention.ms, if that is shorter.
    /// </summary>
    private const long NewestKeptMs = 5 * 60 * 1_000;

    private readonly PendingDeletes _deletes = new();

    /// <summary>The high watermark at the last look, and since when it is that.</summary>
    private (long Offset, long SinceMs) _seen = (-1, 0);

    /// <summary>The greatest log start that this leadership has proposed: it is on its way, or reached. 0 while not serving.</summary>
    private long _proposedLogStart;

    public bool HasWaiting => _deletes.Count > 0;

    public void StopServing()
    {
        _proposedLogStart = 0;
        _deletes.RefuseAll();
    }

    /// <summary>Retention's look, about once a second, on every replica.</summary>
    public void Retain(PartitionConfig config)
    {
        if (_seen.Offset != state.HighWatermark)
        {
            _seen = (state.HighWatermark, clock.MonotonicMs);
        }

        bool mayTakeNewest = clock.MonotonicMs - _seen.SinceMs >= Math.Min(config.RetentionMs, NewestKeptMs);
        if (replica.IsServing
            && replica.Log.RetentionStart(
                clock.UnixMs, config.RetentionMs, config.RetentionBytes, mayTakeNewest ? state.HighWatermark : null) is { } start)
        {
            Probe.Reached(start < state.HighWatermark ? RareBranch.RetentionTookSegments : RareBranch.RetentionTookAll);
            TryPropose(Math.Min(start, state.HighWatermark));
        }
    }

    /// <summary>
    /// Kafka's DeleteRecords: raises the log start, answered when that is committed. Proposed again and again until there is room for it or
    /// its deadline is past.
    /// </summary>
    /// <param name="beforeOffset">-1: the high watermark. What is below that names nothing and is refused.</param>
    public void DeleteRecords(long beforeOffset, long deadlineMs, IAdminCompletion completion)
    {
        long offset = beforeOffset == -1 ? state.HighWatermark : beforeOffset;
        if (!replica.IsServing)
        {
            completion.Completed(new AdminResult(AdminOutcome.NotLeader, "This node does not lead the partition."));
        }
        else if (offset < 0)
        {
            completion.Completed(new AdminResult(AdminOutcome.OffsetOutOfRange, $"{beforeOffset} is no offset."));
        }
        else if (offset > state.HighWatermark)
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
            PursueDeletes();
            replica.WantTicks();
        }
    }

    /// <summary>Answers deletions that are done or overdue, and goes on with the others.</summary>
    public void PursueDeletes()
    {
        if (_deletes.Count > 0)
        {
            _deletes.Answer(state.LogStart, clock.MonotonicMs);
            TryPropose(_deletes.HighestOffset);
        }
    }

    private void DeleteWhenInRange(long offset, long deadlineMs, IAdminCompletion completion)
    {
        if (offset > state.HighWatermark)
        {
            completion.Completed(new AdminResult(
                AdminOutcome.OffsetOutOfRange, $"The partition's high watermark is {state.HighWatermark}."));
        }
        else
        {
            DeleteRecords(offset, deadlineMs, completion);
        }
    }

    /// <summary>Raises the log start by an entry, unless one is on its way already or there is no room now.</summary>
    private void TryPropose(long offset)
    {
        Invariant.Holds(offset <= state.HighWatermark);
        if (!replica.IsServing || offset <= Math.Max(state.LogStart, _proposedLogStart)
            || replica.Admit(EntryLayout.HeaderBytes + sizeof(long)) is not ProposeResult.Admitted admitted)
        {
            return;
        }

        Span<byte> payload = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, offset);
        LogTail tail = replica.Log.Tail;

        // With nothing left in front of it the log goes on in a new segment, so that the files of the old one can go too.
        RollPolicy? roll = offset == tail.NextOffset
            ? tail.Roll with { SegmentMs = Math.Min(tail.Roll.SegmentMs, EmptySegmentMsMin) }
            : null;
        EntryHeader header = tail.NextHeader(
            admitted.Term, StateEntryKinds.LogStart, payload.Length, recordCount: 0, clock.UnixMs, roll);
        replica.Propose(tail.Encode(header, payload));
        _proposedLogStart = offset;
        if (PlantedBug.LogStartBeforeCommit && offset > 0)
        {
            replica.Log.CutTo(offset);
        }
    }
}
