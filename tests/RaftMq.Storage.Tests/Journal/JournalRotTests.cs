using RaftMq.Testing.Seeds;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>Promise DETECTED for the journal's durable bytes, and what is remembered of them until a group is healed.</summary>
public sealed class JournalRotTests
{
    [Fact]
    public void A_rotting_journal_loses_nothing_in_silence()
    {
        int losses = 0, ends = 0, votes = 0, states = 0, healed = 0, whole = 0, refused = 0;
        RandomRuns.Go(100, 8000, Live, life =>
        {
            losses += life.Losses;
            ends += life.EndsKnown;
            votes += life.HardStatesLost;
            states += life.StatesLost;
            healed += life.Healed;
            whole += life.WholeStarts;
            refused += life.RefusedStarts;
        });
        Assert.True(
            losses > 200 && ends > 100 && votes > 20 && states > 0 && healed > 100 && whole > 50,
            $"{losses} losses, {ends} with a known end, {votes} of a vote, {states} of all that was known; {healed} healed; {whole} starts lost nothing, {refused} were refused");
    }

    /// <summary>
    /// Lives in which something was lost in silence once: a cut written anew behind a lower one; a reset that went with a hole; a group of which
    /// all was lost and that a later state told of; one whose earlier loss was said to be made up for behind a hole that took all that was known of it.
    /// </summary>
    [Theory]
    [InlineData(557)]
    [InlineData(2018)]
    [InlineData(2410)]
    [InlineData(6155)]
    public void What_a_rotting_journal_lost_in_silence_once_it_loses_no_more(ulong seed) => Live(seed);

    private static RottingLife Live(ulong seed)
    {
        RottingLife life = new(seed);
        life.Run(rounds: 14);
        return life;
    }
}
