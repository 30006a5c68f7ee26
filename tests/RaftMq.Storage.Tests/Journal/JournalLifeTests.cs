using RaftMq.Storage.Journal;
using RaftMq.Testing.Seeds;

namespace RaftMq.Storage.Tests.Journal;

public sealed class JournalLifeTests
{
    [Theory]
    [InlineData(1177)] // This test itself: a group released entries that a record on its way replaced.
    [InlineData(1002)] // A record with a reset and entries was not held after a start.
    [InlineData(1903)] // A killed run left a file's length unsynced, and the next one built on it.
    [InlineData(12837)]
    [InlineData(20694)] // A batch that replaced its own entries was applied twice, and a vote was lost from the states of the next file.
    public void Lives_that_found_a_fault(ulong seed) => Live(seed);

    [Fact]
    public void Random_lives_lose_nothing_acknowledged_and_invent_nothing()
    {
        long deaths = 0, recycled = 0, acknowledged = 0, overtook = 0;
        RandomRuns runs = RandomRuns.Go(shortForm: 30, longForm: 3000, Live, life =>
        {
            deaths += life.Deaths;
            recycled += life.Recycled;
            acknowledged += life.Acknowledged;
            overtook += life.HardStatesOvertook;
        });

        runs.MustHaveSeen(deaths, 5, "deaths");
        runs.MustHaveSeen(overtook, 2, "hard states that overtook");
        runs.MustHaveSeen(recycled, 1, "files recycled");
        runs.MustHaveSeen(acknowledged, 100, "records acknowledged");
    }

    private static JournalLife Live(ulong seed)
    {
        JournalLife life = new(seed, Options(seed));
        life.Run(steps: 1500);
        return life;
    }

    private static JournalOptions Options(ulong seed) => (seed % 3) switch
    {
        0 => JournalRig.Small,
        1 => JournalRig.Small with { TotalBytesMax = 16 * JournalRig.Small.FileBytes, BatchBytesMax = 4096 },
        _ => JournalRig.Small with { FileBytes = 40 * 4096, TotalBytesMax = 6 * 40 * 4096, BatchRecordsMax = 3 },
    };
}
