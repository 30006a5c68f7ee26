using RaftMq.Cli.Campaigns;
using RaftMq.Simulation;
using RaftMq.Simulation.Coverage;
using RaftMq.Simulation.World;

namespace RaftMq.Cli.Tests.Campaigns;

public sealed class CampaignTests : IDisposable
{
    private const string Commit = "4f2c19a";
    private readonly string _folder = Directory.CreateTempSubdirectory("raftmq-campaign-").FullName;

    private string FilePath => Path.Combine(_folder, "runs.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_begins_goes_on_where_it_ended_and_keeps_to_its_commit_and_length()
    {
        string[] line = ["sim", "--resume", FilePath, "--seconds", "50", "--seeds"];
        var output = new StringWriter();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync([.. line, "1"], output, Console.Error));
        Assert.StartsWith($"1 of 1 seeds of 50 s at commit {SourceCommit.OfThisBuild}, 0 failed: 0.0 virtual hours with ", output.ToString(), StringComparison.Ordinal);
        Campaign begun = Campaign.Read(FilePath)!;
        Assert.Equal((1, 50), (begun.Finished, begun.SecondsEach));
        Assert.True(begun.Acks > 0 && begun.CpuSeconds > 0);

        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync([.. line, "2"], TextWriter.Null, Console.Error));
        Campaign wentOn = Campaign.Read(FilePath)!;
        Assert.Equal((2, begun.FirstSeed), (wentOn.Finished, wentOn.FirstSeed));
        Assert.True(wentOn.Acks > begun.Acks && wentOn.CpuSeconds > begun.CpuSeconds);

        var error = new StringWriter();
        Assert.Equal(ExitCodes.Failed, await CommandTree.RunAsync(["sim", "--resume", FilePath, "--seconds", "60"], TextWriter.Null, error));
        Assert.Contains("are of 50 s each, not of 60", error.ToString(), StringComparison.Ordinal);

        (wentOn with { Commit = Commit }).Write(FilePath);
        error = new StringWriter();
        Assert.Equal(ExitCodes.Failed, await CommandTree.RunAsync(["sim", "--resume", FilePath], TextWriter.Null, error));
        Assert.Contains($"counts runs of commit {Commit} and this is {SourceCommit.OfThisBuild}", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_failed_before_fails_again_and_is_told_again()
    {
        (Campaign.Begin(50, 1, SourceCommit.OfThisBuild) with { Finished = 3, Failures = ["replay: raftmq sim --seed 2"] }).Write(FilePath);
        var output = new StringWriter();
        Assert.Equal(ExitCodes.Failed, await CommandTree.RunAsync(["sim", "--resume", FilePath, "--seeds", "3"], output, Console.Error));
        Assert.StartsWith("replay: raftmq sim --seed 2\n3 of 3 seeds of 50 s", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"commit":"a","secondsEach":0,"firstSeed":1,"finished":1,"acks":1,"cpuSeconds":1,"realSeconds":1,"failures":[]}""")]
    [InlineData("""{"commit":"a","secondsEach":60,"firstSeed":1,"finished":-1,"acks":1,"cpuSeconds":1,"realSeconds":1,"failures":[]}""")]
    [InlineData("""{"commit":"a","secondsEach":60,"firstSeed":1,"finished":1,"acks":1,"cpuSeconds":1,"realSeconds":1,"failures":null}""")]
    public async Task A_file_of_something_else_is_left_alone(string content)
    {
        await File.WriteAllTextAsync(FilePath, content, TestContext.Current.CancellationToken);
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Failed, await CommandTree.RunAsync(["sim", "--resume", FilePath], TextWriter.Null, error));
        Assert.StartsWith($"{FilePath} is no file of raftmq sim --resume", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllTextAsync(FilePath, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("raftmq sim lacks the option --seed; see raftmq sim --help.", "--seconds", "60")]
    [InlineData("--seed does not go with --resume; see raftmq sim --help.", "--resume", "f", "--seed", "1")]
    [InlineData("--trace does not go with --resume; see raftmq sim --help.", "--resume", "f", "--trace", "t")]
    [InlineData("--minutes does not go without --resume; see raftmq sim --help.", "--seed", "1", "--minutes", "5")]
    public async Task Options_of_one_run_and_of_many_are_told_apart(string sentence, params string[] options)
    {
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Usage, await CommandTree.RunAsync(["sim", .. options], TextWriter.Null, error));
        Assert.Equal(sentence + "\n", error.ToString());
    }

    /// <summary>Otherwise a kill would leave a gap, or count a run twice.</summary>
    [Fact]
    public async Task A_run_counts_once_all_before_it_have_ended()
    {
        using ManualResetEventSlim firstMayEnd = new();
        List<Campaign> written = [];
        CampaignRunner runner = new(
            Campaign.Begin(60, 100, Commit),
            seed =>
            {
                if (seed == 100)
                {
                    Assert.True(firstMayEnd.Wait(TimeSpan.FromSeconds(30)));
                }
                else if (seed == 104)
                {
                    firstMayEnd.Set();
                }

                return ResultOf(seed);
            },
            written.Add);

        Campaign ended = await runner.GoAsync(8, TestContext.Current.CancellationToken);

        Assert.Equal(8, ended.Finished);
        Assert.True(written[0].Finished >= 4);
        Assert.Equal(
            Enumerable.Range(100, 8).Select(seed => $"replay: raftmq sim --seed {seed}   (at commit {Commit})\n  not one record was acknowledged"),
            ended.Failures);
    }

    /// <summary>There are more seeds than could ever be run.</summary>
    [Fact]
    public async Task A_run_that_throws_ends_it()
    {
        int runs = 0;
        CampaignRunner runner = new(
            Campaign.Begin(60, 1, Commit),
            seed => Interlocked.Increment(ref runs) == 3 ? throw new InvalidOperationException("of this run") : ResultOf(seed), static _ => { });

        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => runner.GoAsync(long.MaxValue, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal("of this run", thrown.Message);
    }

    private static SimulationResult ResultOf(ulong seed) => new(seed, Commit, 3, 0, new Totals(), RunCoverage.OfNoRun(), null, TimeSpan.Zero);
}
