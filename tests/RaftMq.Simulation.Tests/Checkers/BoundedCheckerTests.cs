using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class BoundedCheckerTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData("journal_bytes", 4 * MiB, 12 * MiB)]
    [InlineData("journal_files", 16, 80)]
    [InlineData("journal_queue_bytes", MiB, 2 * MiB)]
    [InlineData("uncommitted_bytes", 4 * MiB, 5 * MiB)]
    [InlineData("uncommitted_bytes_per_group", MiB, 2 * MiB)]
    [InlineData("replication_window_bytes", 8 * MiB, 9 * MiB)]
    [InlineData("replication_window_entries", 256, 256)]
    [InlineData("tail_bytes", 2 * MiB, 8 * MiB)]
    [InlineData("waiting_produces_per_partition", 1024, 1024)]
    [InlineData("movements", 4, 36)]
    public void Rejects_what_passes_a_limit_by_more_than_its_rule_allows(string limit, long max, long allowed)
    {
        Assert.Null(New().Tell(new HistoryEvent.LimitSeen(Story.N0, limit, allowed, max)).Objection);
        Assert.NotNull(New().Tell(new HistoryEvent.LimitSeen(Story.N0, limit, allowed + 1, max)).Objection);
    }

    [Fact]
    public void Keeps_the_largest_use_by_its_part_of_the_limit()
    {
        var checker = new BoundedChecker();
        checker.Observe(new HistoryEvent.LimitSeen(Story.N0, "movements", 2, 4));
        checker.Observe(new HistoryEvent.LimitSeen(Story.N1, "movements", 3, 100));
        checker.Observe(new HistoryEvent.LimitSeen(Story.N0, "movements", 1, 4));
        Assert.Equal((2, 4), checker.Largest["movements"]);
    }

    private static Story New() => new(new BoundedChecker());
}
