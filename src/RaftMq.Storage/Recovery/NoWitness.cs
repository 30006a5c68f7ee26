using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>A start needs none.</summary>
internal sealed class NoWitness : IJournalWitness
{
    public static readonly NoWitness Instance = new();

    public void Batch(JournalFile file, FoundBatch batch, bool isWhole, bool isMended)
    {
    }

    public void Torn(JournalFile file, FoundBatch batch)
    {
    }

    public void Hole(long file, string report)
    {
    }
}
