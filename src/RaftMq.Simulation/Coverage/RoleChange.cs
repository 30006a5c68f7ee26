using RaftMq.Raft;

namespace RaftMq.Simulation.Coverage;

/// <summary>A replica's role as it was seen last and as it is now.</summary>
internal static class RoleChange
{
    /// <summary>Every pair: which of them the inspector sees depends on how long a role lasts.</summary>
    public static IReadOnlyList<string> All { get; } =
        [.. from before in Enum.GetValues<Role>() from now in Enum.GetValues<Role>() where before != now && IsPossible(before, now) select Name(before, now)];

    public static string Name(Role before, Role now) => $"{before} to {now}";

    /// <summary>A role that lasts for less than a look passes unseen; a learner becomes a voter, and who campaigns votes.</summary>
    private static bool IsPossible(Role before, Role now) => before == Role.Learner ? now == Role.Follower : now != Role.Learner || before == Role.Follower;
}
