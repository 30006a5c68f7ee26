namespace RaftMq.Raft.Tests.Models;

/// <summary>The rules of damage and healing hold in every interleaving of a small world, and each of them is needed.</summary>
public sealed class DamageModelTests
{
    private static readonly ModelBounds OneOfThree = new(Replicas: 3, TermMax: 2, LengthMax: 2, Damages: 1);
    private static readonly ModelBounds TwoOfThree = OneOfThree with { Damages = 2 };
    private static readonly ModelBounds TwoOfFour = OneOfThree with { Replicas = 4, Damages = 2 };

    [Fact]
    public void Three_replicas_stand_a_damage_in_every_interleaving_of_two_terms() => Holds(OneOfThree, statesMin: 900_000);

    [Fact]
    public void Two_replicas_stand_a_damage_and_a_restart_in_every_interleaving_of_three_terms() =>
        Holds(new ModelBounds(Replicas: 2, TermMax: 3, LengthMax: 3, Damages: 1, Restarts: 1), statesMin: 200_000);

    [Fact(Explicit = true)]
    public void Three_replicas_stand_a_damage_in_every_interleaving_of_three_terms() =>
        Holds(OneOfThree with { TermMax = 3 }, statesMin: 4_000_000);

    [Fact(Explicit = true)]
    public void Three_replicas_stand_two_damages_one_after_the_other_or_a_majority_that_knows_what_it_held() =>
        Holds(TwoOfThree, statesMin: 10_000_000);

    [Theory]
    [InlineData(DamageRules.DoesNotCampaign)]
    [InlineData(DamageRules.VotesByHeld)]
    [InlineData(DamageRules.UnknownDoesNotVote)]
    [InlineData(DamageRules.LostTermFollowsFromFloor)]
    [InlineData(DamageRules.FloorNeedsAllOthers)]
    [InlineData(DamageRules.KnownIsHealedAtHeld)]
    [InlineData(DamageRules.UnknownIsHealedThroughLeadersEnd)]
    internal void Three_replicas_lose_what_was_committed_without_the_rule(DamageRules rule) => IsNeeded(rule, OneOfThree);

    [Theory]
    [InlineData(DamageRules.AbstentionsStayBelowMajority)]
    internal void Three_replicas_with_two_damaged_ones_lose_what_was_committed_without_the_rule(DamageRules rule) => IsNeeded(rule, TwoOfThree);

    [Theory]
    [InlineData(DamageRules.AbstentionsNeedAllOthers)]
    internal void Four_replicas_with_two_damaged_ones_lose_what_was_committed_without_the_rule(DamageRules rule) => IsNeeded(rule, TwoOfFour);

    private static void Holds(ModelBounds bounds, int statesMin)
    {
        ModelResult result = new DamageModel(bounds, DamageRules.All).Run();

        TestContext.Current.TestOutputHelper?.WriteLine($"{result.States} states");
        Assert.True(result.Violation is null, $"{result.Violation}\n{string.Join('\n', result.Steps)}");
        Assert.True(result.States >= statesMin, $"{result.States} states only: the model does not do what it did");
    }

    private static void IsNeeded(DamageRules rule, ModelBounds bounds) =>
        Assert.NotNull(new DamageModel(bounds, DamageRules.All & ~rule).Run().Violation);
}
