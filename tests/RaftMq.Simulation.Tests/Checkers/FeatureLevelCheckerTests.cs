using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class FeatureLevelCheckerTests
{
    [Fact]
    public void Accepts_a_level_that_all_know_and_that_rises_later() => Assert.Null(
        New().Tell(Known(level: 1, oldest: 1, own: 2)).Tell(Known(level: 1, oldest: 2, own: 2)).Tell(Known(level: 2, oldest: 2, own: 2, isAtEnd: true)).Objection);

    [Fact]
    public void Rejects_a_level_that_a_node_does_not_know() => Assert.NotNull(New().Tell(Known(level: 2, oldest: 1, own: 2)).Objection);

    [Fact]
    public void Rejects_a_level_that_the_program_itself_does_not_know() => Assert.NotNull(New().Tell(Known(level: 2, oldest: 2, own: 1)).Objection);

    [Fact]
    public void Rejects_a_level_that_never_rises() => Assert.NotNull(New().Tell(Known(level: 1, oldest: 2, own: 2, isAtEnd: true)).Objection);

    private static HistoryEvent.FeatureLevelKnown Known(int level, int oldest, int own, bool isAtEnd = false) => new(N0, level, oldest, own, isAtEnd);

    private static Story New() => new(new FeatureLevelChecker());
}
