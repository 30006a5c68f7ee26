namespace RaftMq.Storage.Examination;

/// <summary>A group of the data folder.</summary>
/// <param name="Name">Topic and partition; the folder's name where that is lost.</param>
/// <param name="Folder">Relative to the data folder; null: it is gone, and only the journal knows the group.</param>
/// <param name="Report">Why it does not simply start; null where it does.</param>
/// <param name="DamagedFiles">Of its own files.</param>
/// <param name="IsOnlyReplica">As far as its newest whole checkpoint tells, no other node has it.</param>
public sealed record ExaminedGroup(
    string Name, string? Folder, GroupFate Fate, string? Report, int Files, int DamagedFiles, bool IsOnlyReplica)
{
    /// <summary>Something of it that was durable is not as it was written.</summary>
    public bool IsDamaged => DamagedFiles > 0 || Fate is GroupFate.StartsDamaged or GroupFate.WaitsForRepair or GroupFate.StaysOut;
}
