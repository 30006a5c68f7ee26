namespace RaftMq.Cli.Bench;

/// <summary>Sizes of batches, as shown.</summary>
internal sealed record BatchFigures(long Count, double RecordsMean, int RecordsMax, double BytesMean, int BytesMax)
{
    public static BatchFigures Of(BatchTally tally) =>
        new(tally.Count, Math.Round(tally.RecordsMean, 1), tally.RecordsMax, Math.Round(tally.BytesMean), tally.BytesMax);
}
