namespace RaftMq.Records;

/// <summary>What the bytes for one partition of a produce request are found to be: one batch or several behind each other.</summary>
public abstract record RecordRunVerdict
{
    private RecordRunVerdict()
    {
    }

    /// <summary>All batches are acceptable and fill the bytes without a rest. At least one.</summary>
    public sealed record Valid(IReadOnlyList<RecordBatchHeader> Batches) : RecordRunVerdict;

    /// <summary>One batch is not acceptable, so none is.</summary>
    /// <param name="BatchIndex">The first batch at fault, counted from 0.</param>
    /// <param name="Verdict">Never <see cref="RecordBatchVerdict.Valid"/>.</param>
    public sealed record Refused(int BatchIndex, RecordBatchVerdict Verdict) : RecordRunVerdict;
}
