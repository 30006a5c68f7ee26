using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>A file that holds nothing needed. It may be used again once a durable header says so: a first needed file above <see cref="Number"/>.</summary>
internal readonly record struct FreeFile(string Path, long Number);

/// <summary>What recovery hands to the living journal: a current file opened in this run, whose first batch is durable.</summary>
internal sealed class JournalStart
{
    public required StoreId Store { get; init; }

    public required JournalLedger Ledger { get; init; }

    /// <summary>Ascending; the last one is the current file.</summary>
    public required List<JournalFile> Files { get; init; }

    public required List<FreeFile> Free { get; init; }

    /// <summary>The header of the generation's first batch.</summary>
    public required BatchHeader Opening { get; init; }

    public required ulong OpeningHash { get; init; }

    public required JournalMarkFile MarkFile { get; init; }

    public required JournalRecoveryReport Report { get; init; }
}
