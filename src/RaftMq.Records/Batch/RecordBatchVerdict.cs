namespace RaftMq.Records;

/// <summary>What a producer's batch is found to be, before anything of it is written.</summary>
public abstract record RecordBatchVerdict
{
    private RecordBatchVerdict()
    {
    }

    /// <summary>Acceptable as it lies. Whether it is too large for its topic is the broker's question (<c>Header.SizeBytes</c>).</summary>
    public sealed record Valid(RecordBatchHeader Header) : RecordBatchVerdict;

    /// <summary>The bytes are not what the producer meant to send: short, cut, or changed on the way. Sending again may help.</summary>
    public sealed record Corrupt(string Reason) : RecordBatchVerdict;

    /// <summary>The bytes arrived as sent, but no broker may store them. Sending again does not help.</summary>
    /// <param name="Reason">What is wrong, for the producer's log.</param>
    /// <param name="RecordIndex">The record at fault, or null where it is the batch.</param>
    public sealed record Invalid(string Reason, int? RecordIndex) : RecordBatchVerdict;

    /// <summary>A message set of the time before record batches (magic 0 or 1), or of a time to come.</summary>
    public sealed record UnsupportedMagic(int Magic) : RecordBatchVerdict;
}
