namespace RaftMq.PlantedBugs;

/// <summary>
/// What a run of all tests hunts: bugs that the table in docs/simulation.md shows to be found within a few seeds in every set. One of them that is not
/// found is a hole in the simulator that was not there before. They take turns by the day.
/// </summary>
internal static class DailyChoice
{
    public static IReadOnlyList<string> AlwaysFoundFast { get; } =
    [
        "AckBeforeFsync", "CheckpointAboveDurableLog", "CheckpointNotSynced", "FollowerAcksBeforeWrite", "HighWatermarkOfLog", "LeaderCountsItselfBeforeWrite",
        "OffsetCommitAckedBeforeCommit", "OldTermCommittedByCounting", "ReadWithoutRound", "TermNotPersisted", "UncommittedRead", "VoteNotPersisted",
    ];

    /// <summary>Tomorrow begins with another one.</summary>
    public static IEnumerable<string> Of(DateTimeOffset now)
    {
        int first = (int)(now.ToUnixTimeSeconds() / 86_400 % AlwaysFoundFast.Count);
        return AlwaysFoundFast.Skip(first).Concat(AlwaysFoundFast.Take(first));
    }
}
