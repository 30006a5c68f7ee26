namespace RaftMq.Raft;

internal enum VoteOutcome
{
    Pending,
    Won,
    Lost,
}

/// <summary>The mathematics of one list of voters. A joint membership asks it for both lists and takes the worse answer.</summary>
internal static class Majority
{
    /// <summary>More than half: any two majorities of the same voters share one of them.</summary>
    public static int Of(int voters) => voters / 2 + 1;

    /// <summary>
    /// The largest value that a majority has reached, where <paramref name="values"/> holds one value per voter (it is sorted in place).
    /// No voters decide nothing and forbid nothing: <see cref="long.MaxValue"/>.
    /// </summary>
    public static long Reached(Span<long> values)
    {
        if (values.Length == 0)
        {
            return long.MaxValue;
        }

        values.Sort();
        return values[values.Length - Of(values.Length)];
    }

    /// <summary>
    /// Won by a majority. Also when all have answered, none refused, and fewer than a majority abstained for being damaged: whatever was
    /// committed, one of those who granted has it, and each of them compared the candidate's log with its own. That makes a difference
    /// for even numbers of voters only.
    /// </summary>
    public static VoteOutcome Outcome(int voters, int granted, int refused, int abstained)
    {
        if (granted >= Of(voters) || voters == 0 || (abstained > 0 && abstained < Of(voters) && granted + abstained == voters))
        {
            return VoteOutcome.Won;
        }

        return refused + abstained > voters - Of(voters) && (refused > 0 || abstained >= Of(voters)) ? VoteOutcome.Lost : VoteOutcome.Pending;
    }

    public static VoteOutcome Joint(VoteOutcome incoming, VoteOutcome outgoing)
    {
        if (incoming == VoteOutcome.Lost || outgoing == VoteOutcome.Lost)
        {
            return VoteOutcome.Lost;
        }

        return incoming == VoteOutcome.Won && outgoing == VoteOutcome.Won ? VoteOutcome.Won : VoteOutcome.Pending;
    }
}
