namespace RaftMq.Cli.Bench;

/// <summary>Sizes of batches.</summary>
internal sealed class BatchTally
{
    public long Count { get; private set; }

    public long Records { get; private set; }

    public long Bytes { get; private set; }

    public int RecordsMax { get; private set; }

    public int BytesMax { get; private set; }

    public double RecordsMean => Count == 0 ? 0 : (double)Records / Count;

    public double BytesMean => Count == 0 ? 0 : (double)Bytes / Count;

    public void Add(int records, int bytes)
    {
        Count++;
        Records += records;
        Bytes += bytes;
        RecordsMax = Math.Max(RecordsMax, records);
        BytesMax = Math.Max(BytesMax, bytes);
    }

    public void Add(BatchTally other)
    {
        Count += other.Count;
        Records += other.Records;
        Bytes += other.Bytes;
        RecordsMax = Math.Max(RecordsMax, other.RecordsMax);
        BytesMax = Math.Max(BytesMax, other.BytesMax);
    }
}
