namespace RaftMq.Storage.Journal;

/// <summary>What the journal found when it was opened, for the log and for tests.</summary>
/// <param name="FoundNothing">No batch at all: a new data folder, or one that lost its journal.</param>
/// <param name="Generation">The one that this run writes.</param>
/// <param name="BatchesMended">Batches that had one bad block and were read whole all the same.</param>
/// <param name="BatchesDamaged">Durable batches that could not be read (see <see cref="IJournalReplay.Damaged"/>).</param>
/// <param name="CutBytes">Length of a torn batch at the end whose header could be read, 0 when there was none.</param>
/// <param name="RewrittenBytes">Entry bytes at or after the last position known durable, written again.</param>
public readonly record struct JournalRecoveryReport(
    bool FoundNothing,
    long Generation,
    long Batches,
    long BatchesMended,
    long BatchesDamaged,
    long CutBytes,
    long RewrittenBytes);
