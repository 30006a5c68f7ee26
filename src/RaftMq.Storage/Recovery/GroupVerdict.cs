using RaftMq.Raft;
using RaftMq.Storage.Examination;

namespace RaftMq.Storage.Recovery;

/// <summary>What a start would make of a group.</summary>
/// <param name="Folder">Null: it is gone.</param>
/// <param name="Report">Why it does not simply start.</param>
/// <param name="LogBase">The log begins behind this entry.</param>
/// <param name="DurableUpTo">Segments must be whole up to here; null: to their ends.</param>
internal sealed record GroupVerdict(
    GroupId Group, string Name, string? Folder, GroupFate Fate, string? Report, LogIndex LogBase, LogIndex? DurableUpTo);
