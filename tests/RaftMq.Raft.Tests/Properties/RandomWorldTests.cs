using RaftMq.Testing.Seeds;

namespace RaftMq.Raft.Tests.Properties;

/// <summary>Whole groups in misfortune; see <see cref="World"/>. A failure shows the end of its trace.</summary>
public sealed class RandomWorldTests
{
    private const int TicksPerRun = 120;

    [Fact]
    public void Safety_holds_and_progress_returns_whatever_happens()
    {
        (long commits, long elections, long reads, long installs, long changes, long damages) = (0, 0, 0, 0, 0, 0);
        RandomRuns runs = RandomRuns.Go(shortForm: 1500, longForm: 45_000, Run, world =>
        {
            commits += world.Commits;
            elections += world.Elections;
            reads += world.ReadsDone;
            installs += world.Installs;
            changes += world.Changes;
            damages += world.Damages;
        });

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{commits} commits, {elections} elections, {reads} reads, {installs} installs, {changes} changes, {damages} damages");
        runs.MustHaveSeen(commits, 30, "commits");
        runs.MustHaveSeen(elections, 3, "elections");
        runs.MustHaveSeen(reads, 1, "reads");
        runs.MustHaveSeen(installs, 0.1, "installs");
        runs.MustHaveSeen(changes, 0.35, "changes");
        runs.MustHaveSeen(damages, 0.2, "damages");
    }

    [Theory]
    [InlineData(21198)] // This test itself: it asked a leader that was cut off for an entry that a later leader committed.
    public void Worlds_that_found_a_fault(ulong seed) => Run(seed);

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
            throw new InvalidOperationException($"{failure.Message}\n{TraceOf(seed)}", failure);
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
