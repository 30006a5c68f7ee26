using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Wire;
using RaftMq.Raft;

namespace RaftMq.Kafka.Fetching;

/// <summary>
/// One partition of a fetch: what was asked, what was read so far. Used again for later fetches of the same connection. While a read is
/// under way the broker writes <see cref="Result"/>; at all other times it belongs to the <see cref="FetchOperation"/>.
/// </summary>
internal sealed class FetchPart
{
    private readonly List<ReadOnlyMemory<byte>> batches = [];

    public FetchPart(IReadCompletion completion, int tag)
    {
        Command = new ReadCommand { Group = default, Offset = 0, BytesMax = 0, Completion = completion, Tag = tag };
    }

    public ReadCommand Command { get; }

    public int Partition { get; private set; }

    public long FetchOffset { get; private set; }

    /// <summary>The most the client wants of this partition.</summary>
    public int BytesMax { get; private set; }

    public KafkaError Error { get; private set; }

    public long HighWatermark { get; private set; }

    public long LogStartOffset { get; private set; }

    public int BatchBytes { get; private set; }

    /// <summary>Where the next read begins.</summary>
    public long NextOffset { get; set; }

    /// <summary>A wait ends when the high watermark is above it.</summary>
    public long WaitOffset { get; set; }

    /// <summary>The high watermark at which the last read brought nothing; -1 when it brought something.</summary>
    public long EmptyAt { get; set; }

    /// <summary>The last read's answer, until it is taken in.</summary>
    public ReadResult Result { get; set; }

    /// <summary>To be read in the next wave.</summary>
    public bool Due { get; set; }

    /// <summary>It is read in the wave under way.</summary>
    public bool InWave { get; set; }

    /// <summary>Registered with the broker and not yet seen to have fired.</summary>
    public FetchWaiter? Waiter { get; set; }

    /// <summary>Nothing more can come of it in this answer: it has all that the client wants, or the next batch is larger than the rest.</summary>
    public bool Blocked { get; set; }

    public bool Failed => Error != KafkaError.None;

    /// <param name="partition">Its number.</param>
    /// <param name="fetchOffset">Where the client wants to begin.</param>
    /// <param name="bytesMax">The most the client wants of it.</param>
    /// <param name="leaderEpoch">The client's idea of the leader epoch, or -1.</param>
    /// <param name="info">Null when it is not to be read.</param>
    /// <param name="otherwise">Then the reason.</param>
    public void Begin(
        int partition, long fetchOffset, int bytesMax, int leaderEpoch, PartitionInfo? info, KafkaError otherwise)
    {
        Partition = partition;
        FetchOffset = fetchOffset;
        NextOffset = fetchOffset;
        WaitOffset = fetchOffset;
        EmptyAt = -1;
        BytesMax = Math.Max(0, bytesMax);
        HighWatermark = -1;
        LogStartOffset = -1;
        Blocked = false;
        InWave = false;
        Command.LeaderEpoch = leaderEpoch;
        Error = info is null ? otherwise : KafkaError.None;
        Command.Group = info?.Group ?? default(GroupId);
        Due = info is not null;
    }

    /// <summary>The read failed: nothing of this partition is sent but the error.</summary>
    public void Fail(KafkaError error, long highWatermark, long logStartOffset)
    {
        Error = error;
        HighWatermark = highWatermark;
        LogStartOffset = logStartOffset;
        Clear();
    }

    /// <summary>The read went well. The batches' memory is never changed and lives while it is held.</summary>
    public void Keep(in ReadResult result)
    {
        HighWatermark = result.HighWatermark;
        LogStartOffset = result.LogStartOffset;
        BatchBytes += result.SizeBytes;
        for (int i = 0; i < result.Batches.Count; i++)
        {
            batches.Add(result.Batches[i]);
        }
    }

    /// <summary>What was read, to be sent without a copy, also after this part is used again.</summary>
    public RecordBytes Records() => batches.Count switch
    {
        0 => default,
        1 => new RecordBytes(batches[0]),
        _ => new RecordBytes(batches.ToArray()),
    };

    /// <summary>Lets go of the batches.</summary>
    public void Clear()
    {
        batches.Clear();
        BatchBytes = 0;
    }
}
