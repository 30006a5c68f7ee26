using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>Sees what a walk through the journal's files meets, in their order; a replay only hears what that means for the groups.</summary>
internal interface IJournalWitness
{
    /// <param name="isMended">It was made whole by what it holds twice.</param>
    void Batch(JournalFile file, FoundBatch batch, bool isWhole, bool isMended);

    /// <summary>The last batch, which is not whole and never counted.</summary>
    void Torn(JournalFile file, FoundBatch batch);

    /// <summary>Bytes of this file that were durable are damaged together with their table.</summary>
    void Hole(long file, string report);
}
