using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>What <see cref="JournalRecovery.Examine"/> found.</summary>
/// <param name="Followed">The files of which something was read, from the first one needed.</param>
/// <param name="DurableUpTo">D: what lies before this position was fsynced.</param>
/// <param name="KeptBelowFile">Files below this number are what is left of something that was lost and is not made up for; 0: none is.</param>
/// <param name="Refusals">Why a start would not go on; each a whole sentence.</param>
internal sealed record JournalExamination(
    JournalLineage Lineage, IReadOnlyList<JournalFile> Followed, long DurableUpTo, long KeptBelowFile, IReadOnlyList<string> Refusals);
