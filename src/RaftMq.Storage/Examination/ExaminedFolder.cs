using RaftMq.Raft;

namespace RaftMq.Storage.Examination;

/// <summary>What an examination found in a data folder.</summary>
/// <param name="Node">Null where the identity can't be read.</param>
/// <param name="Boot">The number of the last start; null where it can't be read.</param>
/// <param name="Refusals">Not empty: the node does not start on this folder. Each is a whole sentence that says what to do.</param>
public sealed record ExaminedFolder(
    NodeId? Node, StoreId? Store, long? Boot, IReadOnlyList<ExaminedFile> Files, IReadOnlyList<ExaminedGroup> Groups, IReadOnlyList<string> Refusals)
{
    /// <summary>All that was durable is as it was written, and the node starts.</summary>
    public bool IsWhole => Refusals.Count == 0 && !Files.Any(file => file.IsDamage) && !Groups.Any(group => group.IsDamaged);
}
