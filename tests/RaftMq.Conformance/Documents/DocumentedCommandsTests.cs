using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Documents;

/// <summary>
/// Every command that a page tells the reader to type is run here as it stands there, page by page and in the page's order, but for
/// those of the list below. What is moved: localhost:9092 and localhost:8080 become the addresses of this test's cluster, which
/// <c>raftmq</c> is given as --bootstrap or --admin; the package index is its first 2,000 packages; a bench ends after 200 records; the
/// status is asked until topics that were just made have their leaders.
/// </summary>
public sealed class DocumentedCommandsTests(DocumentedCommandsTests.OwnCluster own) : IClassFixture<DocumentedCommandsTests.OwnCluster>
{
    private const string SimulationSeeds =
        "tests/RaftMq.Simulation.Tests/bin/Release/net10.0/RaftMq.Simulation.Tests -class RaftMq.Simulation.Tests.SeedTests";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    /// <summary>Commands that are not run here, and why not.</summary>
    private static readonly Dictionary<string, string> s_elsewhere = new(StringComparer.Ordinal)
    {
        ["dotnet run --project src/RaftMq.Cli -- up"] = "builds everything a second time, in Debug: the long form below; UpTests start the same program",
        ["dotnet publish src/RaftMq.Cli -c Release -o raftmq-tool"] = "builds everything once more: PublishTests in the long form",
        ["tests/run.sh"] = "runs this",
        ["tests/run.sh --full"] = "runs this",
        ["dotnet build RaftMq.sln -c Release"] = "a stage of tests/run.sh",
        ["dotnet format RaftMq.sln --no-restore --verify-no-changes --severity error whitespace"] = "a stage of tests/run.sh",
        ["dotnet build tests/RaftMq.Raft.Tests -c Release"] = "part of a stage of tests/run.sh",
        ["tests/RaftMq.Raft.Tests/bin/Release/net10.0/RaftMq.Raft.Tests"] = "a stage of tests/run.sh",
        ["RAFTMQ_GOLDEN=rewrite tests/RaftMq.Raft.Tests/bin/Release/net10.0/RaftMq.Raft.Tests -class RaftMq.Raft.Tests.Scripts.ScriptTests"] =
            "writes into the checkout; tests/run.sh runs it without the variable",
        ["raftmq sim --seed 8123"] = "run with --trace",
        [$"RAFTMQ_SIM_SEEDS=20 {SimulationSeeds}"] = "tests/run.sh runs it with 400",
        ["dotnet build tests/RaftMq.Fuzz -c Release"] = "part of a stage of tests/run.sh",
        ["tests/RaftMq.Fuzz/bin/Release/net10.0/RaftMq.Fuzz --format peer-frames --seconds 60 --seed 7 --unreached"] = "a stage of tests/run.sh, shorter",
        [$"RAFTMQ_SIM_SEEDS=400 {SimulationSeeds}"] = "a stage of tests/run.sh",
        ["dotnet build tests/RaftMq.PlantedBugs -c Planted"] = "a stage of tests/run.sh",
        ["tests/RaftMq.PlantedBugs/bin/Planted/net10.0/RaftMq.PlantedBugs --sets 20 --seeds-max 300 --table table.md"] = "takes hours; a stage of tests/run.sh hunts",
        ["tests/RaftMq.PlantedBugs/bin/Planted/net10.0/RaftMq.PlantedBugs --bug AckByIndexAlone --sets 2 --seeds-max 60"] = "a stage of tests/run.sh hunts",
    };

    public static TheoryData<string> PagesWithCommands =>
        [.. DocumentedCommands.Pages.Where(page => DocumentedCommands.InBlocks(page).Except(s_elsewhere.Keys, StringComparer.Ordinal).Any())];

    [Theory]
    [MemberData(nameof(PagesWithCommands))]
    public async Task Commands_of_a_page_do_what_it_says(string page)
    {
        foreach (string command in DocumentedCommands.InBlocks(page).Except(s_elsewhere.Keys, StringComparer.Ordinal))
        {
            await own.RunAsync(command);
        }
    }

    [Fact]
    public async Task Commands_named_in_running_text_exist()
    {
        string[] named = [.. DocumentedCommands.Pages.SelectMany(DocumentedCommands.InText).Distinct(StringComparer.Ordinal)];
        Assert.Contains("raftmq cluster status", named);
        await own.RunAsync(string.Join(" && ", named.Select(command => $"{command} --help")));
    }

    [Fact]
    public void Readme_and_pages_hold_each_command_that_is_run_elsewhere()
    {
        string[] all = [.. DocumentedCommands.Pages.SelectMany(DocumentedCommands.InBlocks)];
        Assert.Empty(s_elsewhere.Keys.Except(all, StringComparer.Ordinal));
        Assert.Equal(12, DocumentedCommands.InBlocks("README.md").Count);
    }

    [Fact]
    public void Metrics_named_on_a_page_are_in_the_list_of_metrics()
    {
        string listed = File.ReadAllText(Path.Combine(Repository.Root, "docs", "metrics.md"));
        string operations = File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations.md"));
        string[] named = [.. operations.Split('`').Where(word => word.StartsWith("raftmq_", StringComparison.Ordinal)).Select(word => word.Split('{')[0])];
        Assert.NotEmpty(named);
        Assert.All(named, metric => Assert.Contains($"| `{metric}` |", listed, StringComparison.Ordinal));
    }

    /// <summary>The first command of the README, with ports and folder of its own, from this checkout.</summary>
    [Fact(Explicit = true)]
    public async Task The_first_command_of_the_readme_starts_a_cluster()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string data = Directory.CreateTempSubdirectory("raftmq-readme-").FullName;
        string script = $"cd '{Repository.Root}' && exec {DocumentedCommands.InBlocks("README.md")[0]} --data '{data}' --base-port {FreePorts.Next()}";
        await using ChildProcess up = await ChildProcess.StartAsync("bash", ["-c", script]);
        await up.WaitForLineAsync("ready; clients connect to", TimeSpan.FromMinutes(10), cancellation);
        up.Terminate();
        Assert.Equal(0, await up.WaitForExitAsync(s_patience, cancellation));
        Directory.Delete(data, recursive: true);
    }

    /// <summary>A cluster for the commands, and a folder to type them in that looks like the checkout.</summary>
    public sealed class OwnCluster : IAsyncLifetime
    {
        private readonly string folder = Directory.CreateTempSubdirectory("raftmq-documents-").FullName;
        private readonly HashSet<string> replayed = new(StringComparer.Ordinal);
        private TestCluster cluster = null!;

        public async ValueTask InitializeAsync()
        {
            cluster = await TestCluster.StartAsync(new TestClusterOptions(), TestContext.Current.CancellationToken);
            foreach (string name in (string[])["src", "tests", "docs"])
            {
                Directory.CreateSymbolicLink(Path.Combine(folder, name), Path.Combine(Repository.Root, name));
            }
        }

        public async ValueTask DisposeAsync()
        {
            await cluster.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }

        internal async Task RunAsync(string command)
        {
            if (command.StartsWith("raftmq sim", StringComparison.Ordinal) && !replayed.Add(command))
            {
                // The same run as on an earlier page, to the byte.
                return;
            }

            string moved = command.Replace("localhost:9092,localhost:9093,localhost:9094", cluster.Bootstrap, StringComparison.Ordinal)
                .Replace("localhost:9092", cluster.Bootstrap, StringComparison.Ordinal)
                .Replace("--to 0,1,2", "--to 1,2,3", StringComparison.Ordinal)
                .Replace("localhost:8080", $"127.0.0.1:{cluster.Nodes[0].HttpPort}", StringComparison.Ordinal);
            await using ChildProcess shell = await ChildProcess.StartAsync("bash", ["-c", Prelude() + moved]);
            int code = await shell.WaitForExitAsync(s_patience, TestContext.Current.CancellationToken);
            Assert.True(code == 0, $"exit code {code} of: {command}\n{shell.Tail()}");
        }

        private string Prelude()
        {
            string program = Path.Combine(Repository.Root, "src", "RaftMq.Cli", "bin", "Release", "net10.0", "raftmq.dll");
            string admin = string.Join(',', cluster.Nodes.Select(node => $"127.0.0.1:{node.HttpPort}"));
            return $$"""
                set -e -o pipefail
                cd '{{folder}}'
                raftmq() {
                  case "$*" in
                    *--help|sim*|up*) dotnet '{{program}}' "$@" ;;
                    cluster\ status*) for try in $(seq 60); do dotnet '{{program}}' "$@" --admin {{admin}} && return 0; sleep 0.5; done; return 1 ;;
                    cluster*|partition*|node*) dotnet '{{program}}' "$@" --admin {{admin}} ;;
                    bench*) dotnet '{{program}}' "$@" --bootstrap {{cluster.Bootstrap}} --warmup-seconds 0 --records 200 ;;
                    *) dotnet '{{program}}' "$@" --bootstrap {{cluster.Bootstrap}} ;;
                  esac
                }
                apt-cache() { command apt-cache "$@" | awk -v RS= -v ORS='\n\n' 'NR <= 2000'; }

                """;
        }
    }
}
