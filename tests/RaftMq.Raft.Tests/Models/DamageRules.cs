namespace RaftMq.Raft.Tests.Models;

/// <summary>What a damaged replica heeds (<see cref="Healing"/>, <see cref="Voter"/>, <see cref="Majority"/>). The model is run without each of them too.</summary>
[Flags]
internal enum DamageRules
{
    None = 0,
    DoesNotCampaign = 1,

    /// <summary>Where it is known what it held, a candidate must have that much.</summary>
    VotesByHeld = 2,
    UnknownDoesNotVote = 4,

    /// <summary>One that lost its term follows only from the largest term on that the others told it.</summary>
    LostTermFollowsFromFloor = 8,
    FloorNeedsAllOthers = 16,
    KnownIsHealedAtHeld = 32,
    UnknownIsHealedThroughLeadersEnd = 64,

    /// <summary>Refusals of damaged voters are done without only where all others granted.</summary>
    AbstentionsNeedAllOthers = 128,
    AbstentionsStayBelowMajority = 256,
    All = 511,
}

/// <summary>How far the model goes: it tries everything within.</summary>
/// <param name="Damages">How often a replica may lose part of its log, and perhaps the knowledge of it, and its term.</param>
internal sealed record ModelBounds(int Replicas, int TermMax, int LengthMax, int Damages, int Restarts = 0)
{
    public int StatesMax { get; init; } = 20_000_000;
}

/// <param name="Violation">Null: none was found.</param>
/// <param name="Steps">That lead to it.</param>
internal sealed record ModelResult(int States, string? Violation, IReadOnlyList<string> Steps);
