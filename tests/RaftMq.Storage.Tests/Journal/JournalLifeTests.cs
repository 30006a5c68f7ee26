using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Journal;

public sealed class JournalLifeTests
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("RAFTMQ_FULL") == "1";

    [Theory]
    [InlineData(1002)] // A record with a reset and entries was not held after a start.
    [InlineData(1903)] // A killed run left a file's length unsynced, and the next one built on it.
    [InlineData(12837)]
    [InlineData(20694)] // A batch that replaced its own entries was applied twice, and a vote was lost from the states of the next file.
    public void Lives_that_found_a_fault(ulong seed) => new JournalLife(seed, Options(seed)).Run(steps: 1500);

    [Fact]
    public void Random_lives_lose_nothing_acknowledged_and_invent_nothing()
    {
        long deaths = 0, recycled = 0, acknowledged = 0, overtook = 0;
        ulong from = ulong.Parse(Environment.GetEnvironmentVariable("RAFTMQ_SEED") ?? "1");
        ulong lives = Full ? 3000u : 30u;
        for (ulong seed = from; seed < from + lives; seed++)
        {
            JournalLife life = new(seed, Options(seed));
            try
            {
                life.Run(steps: 1500);
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"replay: RAFTMQ_SEED={seed}", fault);
            }

            deaths += life.Deaths;
            recycled += life.Recycled;
            acknowledged += life.Acknowledged;
            overtook += life.HardStatesOvertook;
        }

        // A run that never got anywhere proves nothing.
        Assert.True(deaths > (long)lives * 5, $"only {deaths} deaths");
        Assert.True(overtook > (long)lives * 2, $"only {overtook} hard states overtook");
        Assert.True(recycled > (long)lives, $"only {recycled} files recycled");
        Assert.True(acknowledged > (long)lives * 100, $"only {acknowledged} records acknowledged");
    }

    private static JournalOptions Options(ulong seed) => (seed % 3) switch
    {
        0 => JournalRig.Small,
        1 => JournalRig.Small with { TotalBytesMax = 16 * JournalRig.Small.FileBytes, BatchBytesMax = 4096 },
        _ => JournalRig.Small with { FileBytes = 40 * 4096, TotalBytesMax = 6 * 40 * 4096, BatchRecordsMax = 3 },
    };
}
