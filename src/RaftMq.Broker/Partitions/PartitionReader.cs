using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Partitions;

/// <summary>One read of a partition's log that memory may not answer: waits for the disk and carries the answer to who asked.</summary>
internal sealed class PartitionReader : ILogReadWaiter
{
    private readonly Action<LogRead> _done;

    private PartitionReader(Action<LogRead> done) => _done = done;

    public static void Read(Partition partition, IReplica replica, ReadCommand command)
    {
        // What is visible is decided when the read is asked for; a later high watermark is for the next one.
        void Finish(LogRead read) => command.Completion.Completed(command, Answer(partition, command, read));

        var reader = new PartitionReader(Finish);
        LogRead read = replica.Log.ReadForConsumer(
            command.Offset, command.BytesMax, partition.ReadableEnd, reader);
        if (read.Status != LogReadStatus.Pending)
        {
            Finish(read);
        }
    }

    /// <summary>The first batch with a record at least that young.</summary>
    public static void FindTime(Partition partition, IReplica replica, long timestampMs, Action<OffsetResult> completion) =>
        FindTime(partition, replica, timestampMs, completion, () =>
        {
            // A leader that was cut off does not know what the next one has.
            replica.ConfirmLeader(new WhenConfirmed(
                () => completion(new OffsetResult(ReadOutcome.Ok, -1, -1, replica.Term.Value)),
                () => completion(new OffsetResult(ReadOutcome.NotLeader, -1, -1, -1))));
        });

    /// <summary>The first of the youngest batches (Kafka KIP-734), as a quorum knows them: a leader that was cut off does not know what the next one has.</summary>
    public static void FindGreatestTime(Partition partition, IReplica replica, Action<OffsetResult> completion)
    {
        replica.ConfirmLeader(new WhenConfirmed(Ask, () => completion(new OffsetResult(ReadOutcome.NotLeader, -1, -1, -1))));

        void Ask()
        {
            long from = partition.State.LogStart;
            void Finish(LogRead read)
            {
                if (read.Status == LogReadStatus.Damaged)
                {
                    completion(new OffsetResult(ReadOutcome.Damaged, -1, -1, -1));
                }
                else if (read.GreatestTimestampMs < 0)
                {
                    completion(new OffsetResult(ReadOutcome.Ok, -1, -1, replica.Term.Value));
                }
                else
                {
                    FindTime(partition, replica, read.GreatestTimestampMs, completion, whenNone: () => Gone(from));
                }
            }

            LogRead read = replica.Log.FindGreatestTimestamp(from, new PartitionReader(Finish));
            if (read.Status != LogReadStatus.Pending)
            {
                Finish(read);
            }
        }

        void Gone(long from)
        {
            if (partition.State.LogStart > from)
            {
                // In between; it is another one's turn.
                Ask();
            }
            else
            {
                completion(new OffsetResult(ReadOutcome.Ok, -1, -1, replica.Term.Value));
            }
        }
    }

    private static void FindTime(Partition partition, IReplica replica, long wantedMs, Action<OffsetResult> completion, Action whenNone)
    {
        long from = partition.State.LogStart;

        void Ask()
        {
            LogRead read = replica.Log.FindTimestamp(wantedMs, PlantedBug.TimeFoundBelowStart ? 0 : from, new PartitionReader(Finish));
            if (read.Status != LogReadStatus.Pending)
            {
                Finish(read);
            }
        }

        void Finish(LogRead read)
        {
            long start = partition.State.LogStart;
            if (read.Status == LogReadStatus.Damaged)
            {
                completion(new OffsetResult(ReadOutcome.Damaged, -1, -1, -1));
            }
            else if (read.Found is { } found && found.NextOffset > start)
            {
                completion(partition.OffsetFound(Math.Max(found.BaseOffset, start), found.TimestampMs));
            }
            else if (Math.Max(read.Found?.NextOffset ?? read.NextOffset, start) > from && !PlantedBug.TimeFoundBelowStart)
            {
                // The file was looked through in vain: only what is gone was so young, or was until now.
                Probe.Reached(RareBranch.TimeSoughtFurther);
                from = Math.Max(read.Found?.NextOffset ?? read.NextOffset, start);
                Ask();
            }
            else
            {
                whenNone();
            }
        }

        Ask();
    }

    void ILogReadWaiter.ReadDone(LogRead read) => _done(read);

    private static ReadResult Answer(Partition partition, ReadCommand command, LogRead read)
    {
        switch (read.Status)
        {
            case LogReadStatus.BelowStart when command.Offset < partition.State.LogStart:
                return partition.Refused(ReadOutcome.OffsetOutOfRange);
            case LogReadStatus.BelowStart:
                // The log goes further back than the files here: they are lost, the records are not. Out of range would send the reader past them.
                return partition.Refused(ReadOutcome.Damaged);
            case LogReadStatus.Damaged:
                return partition.Refused(ReadOutcome.Damaged);
            default:
                return !command.AtLeastOne && read.SizeBytes > command.BytesMax
                    ? partition.Refused(ReadOutcome.Ok)
                    : new ReadResult(
                        ReadOutcome.Ok, read.Batches, read.SizeBytes,
                        PlantedBug.HighWatermarkOfLog ? partition.LogEnd : partition.ReadableEnd, partition.State.LogStart);
        }
    }
}
