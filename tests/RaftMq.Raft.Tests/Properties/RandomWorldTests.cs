namespace RaftMq.Raft.Tests.Properties;

/// <summary>Whole groups in misfortune; see <see cref="World"/>. RAFTMQ_FULL=1 runs many more, RAFTMQ_SEED=n one with its trace.</summary>
public sealed class RandomWorldTests
{
    private const int Runs = 1500;
    private const int RunsFull = 60_000;
    private const int TicksPerRun = 120;

    [Fact]
    public void Safety_holds_and_progress_returns_whatever_happens()
    {
        ulong[] seeds = Environment.GetEnvironmentVariable("RAFTMQ_SEED") is { } one
            ? [ulong.Parse(one)]
            : [.. Enumerable.Range(1, Environment.GetEnvironmentVariable("RAFTMQ_FULL") == "1" ? RunsFull : Runs).Select(s => (ulong)s)];
        (long commits, long elections, long reads, long installs, long changes) = (0, 0, 0, 0, 0);
        foreach (ulong seed in seeds)
        {
            World world = Run(seed);
            commits += world.Commits;
            elections += world.Elections;
            reads += world.ReadsDone;
            installs += world.Installs;
            changes += world.Changes;
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{seeds.Length} runs: {commits} commits, {elections} elections, {reads} reads, {installs} installs, {changes} changes");
        if (seeds.Length > 1)
        {
            // A workload that does nothing finds nothing.
            Assert.True(commits > 30L * seeds.Length, $"{commits} commits");
            Assert.True(elections > 3L * seeds.Length, $"{elections} elections");
            Assert.True(reads > seeds.Length, $"{reads} reads");
            Assert.True(installs > seeds.Length / 10, $"{installs} installs");
            Assert.True(changes > seeds.Length / 2, $"{changes} changes");
        }
    }

    private static World Run(ulong seed)
    {
        try
        {
            World world = new(seed);
            world.Run(TicksPerRun);
            return world;
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"replay: RAFTMQ_SEED={seed}: {failure.Message}\n{TraceOf(seed)}", failure);
        }
    }

    private static string TraceOf(ulong seed)
    {
        World world = new(seed) { Tracing = true };
        try
        {
            world.Run(TicksPerRun);
        }
        catch (Exception)
        {
            // The same failure once more, this time with what led to it.
        }

        int lines = int.Parse(Environment.GetEnvironmentVariable("RAFTMQ_TRACE_LINES") ?? "60");
        return string.Join('\n', world.Trace.TakeLast(lines));
    }
}
