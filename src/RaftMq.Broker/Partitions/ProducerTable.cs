using RaftMq.Broker.Encoding;

namespace RaftMq.Broker.Partitions;

/// <summary>One batch of an idempotent producer: what a retry is recognised by, and where it was stored.</summary>
internal readonly record struct ProducedBatch(int BaseSequence, int LastSequence, long BaseOffset, long TimestampMs);

/// <summary>The facts of a batch that idempotence needs.</summary>
internal readonly record struct ProducerStamp(long ProducerId, short Epoch, int BaseSequence, int LastSequence)
{
    /// <summary>Sequences wrap to 0 after 2^31-1 (O-04).</summary>
    public static int After(int sequence) => sequence == int.MaxValue ? 0 : sequence + 1;
}

/// <summary>
/// What a partition remembers of idempotent producers (Kafka KIP-98): per producer the epoch and its last five batches. Replicated
/// state: changes only when an entry is applied. Beyond <see cref="BrokerLimits.ProducersPerPartition"/> the producer that was
/// unused for longest is forgotten, the same one on every replica, because order of use is the order of entries.
/// </summary>
internal sealed class ProducerTable(int producersMax)
{
    /// <summary>Kafka's producers have at most five requests in flight, so a retry is always among the last five.</summary>
    public const int BatchesRemembered = 5;

    private const byte SnapshotVersion = 1;

    private readonly Dictionary<long, Producer> _producers = [];

    /// <summary>Producers in order of last use, the longest unused first.</summary>
    private readonly LinkedList<Producer> _byUse = new();

    public int Count => _producers.Count;

    public bool TryGet(long producerId, out Producer producer)
    {
        bool found = _producers.TryGetValue(producerId, out Producer? known);
        producer = known!;
        return found;
    }

    /// <summary>Writes down a committed batch. The leader has checked its sequence before it proposed.</summary>
    public void Apply(in ProducerStamp stamp, long baseOffset, long timestampMs)
    {
        if (!_producers.TryGetValue(stamp.ProducerId, out Producer? producer))
        {
            if (_producers.Count >= producersMax)
            {
                Forget(_byUse.First!.Value);
            }

            producer = new Producer(stamp.ProducerId);
            _producers.Add(stamp.ProducerId, producer);
            _byUse.AddLast(producer.Use);
        }
        else
        {
            _byUse.Remove(producer.Use);
            _byUse.AddLast(producer.Use);
        }

        producer.Add(stamp, new ProducedBatch(stamp.BaseSequence, stamp.LastSequence, baseOffset, timestampMs));
    }

    public void WriteSnapshot(ByteWriter writer)
    {
        writer.Byte(SnapshotVersion);
        writer.Int32(PlantedBug.ProducerTableLostAtCheckpoint ? 0 : _producers.Count);
        foreach (Producer producer in _byUse.Take(PlantedBug.ProducerTableLostAtCheckpoint ? 0 : int.MaxValue))
        {
            writer.Int64(producer.Id);
            writer.Int16(producer.Epoch);
            writer.Byte((byte)producer.Batches.Count);
            foreach (ProducedBatch batch in producer.Batches)
            {
                writer.Int32(batch.BaseSequence);
                writer.Int32(batch.LastSequence);
                writer.Int64(batch.BaseOffset);
                writer.Int64(batch.TimestampMs);
            }
        }
    }

    public bool TryReadSnapshot(ref ByteReader reader)
    {
        _producers.Clear();
        _byUse.Clear();
        if (reader.Byte() != SnapshotVersion)
        {
            return false;
        }

        for (int count = reader.Count(bytesEachMin: 11); count > 0; count--)
        {
            var producer = new Producer(reader.Int64());
            short epoch = reader.Int16();
            int batches = reader.Byte();
            if (batches is 0 or > BatchesRemembered)
            {
                return false;
            }

            for (; batches > 0; batches--)
            {
                var batch = new ProducedBatch(reader.Int32(), reader.Int32(), reader.Int64(), reader.Int64());
                producer.Add(new ProducerStamp(producer.Id, epoch, batch.BaseSequence, batch.LastSequence), batch);
            }

            if (!_producers.TryAdd(producer.Id, producer))
            {
                return false;
            }

            _byUse.AddLast(producer.Use);
        }

        return !reader.Failed;
    }

    private void Forget(Producer producer)
    {
        _producers.Remove(producer.Id);
        _byUse.Remove(producer.Use);
    }

    internal sealed class Producer
    {
        private readonly Queue<ProducedBatch> _batches = new(BatchesRemembered);

        public Producer(long id)
        {
            Id = id;
            Use = new LinkedListNode<Producer>(this);
        }

        public long Id { get; }

        public short Epoch { get; private set; } = -1;

        public int LastSequence { get; private set; }

        /// <summary>The oldest first.</summary>
        public Queue<ProducedBatch> Batches => _batches;

        public LinkedListNode<Producer> Use { get; }

        public void Add(in ProducerStamp stamp, in ProducedBatch batch)
        {
            if (stamp.Epoch != Epoch)
            {
                Epoch = stamp.Epoch;
                _batches.Clear();
            }

            if (_batches.Count == BatchesRemembered)
            {
                _batches.Dequeue();
            }

            _batches.Enqueue(batch);
            LastSequence = batch.LastSequence;
        }

        public bool TryFind(in ProducerStamp stamp, out ProducedBatch found)
        {
            foreach (ProducedBatch batch in _batches)
            {
                if (batch.BaseSequence == stamp.BaseSequence && batch.LastSequence == stamp.LastSequence)
                {
                    found = batch;
                    return true;
                }
            }

            found = default;
            return false;
        }
    }
}
