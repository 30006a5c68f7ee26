namespace RaftMq.House.Tests;

/// <summary>A project may use only the ones that docs/architecture.md allows it: an arrow that is not here is refused.</summary>
public sealed class LayerTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["RaftMq.Raft"] = [],
        ["RaftMq.Records"] = [],
        ["RaftMq.Storage"] = ["RaftMq.Raft"],
        ["RaftMq.Broker"] = ["RaftMq.Raft", "RaftMq.Storage", "RaftMq.Records"],
        ["RaftMq.Kafka.Wire.Generator"] = [],
        ["RaftMq.Kafka.Wire"] = ["RaftMq.Records", "RaftMq.Kafka.Wire.Generator"],
        ["RaftMq.Kafka"] = ["RaftMq.Broker", "RaftMq.Kafka.Wire"],
        ["RaftMq.Server"] = ["RaftMq.Raft", "RaftMq.Records", "RaftMq.Storage", "RaftMq.Broker", "RaftMq.Kafka.Wire", "RaftMq.Kafka"],
        ["RaftMq.Simulation"] = ["RaftMq.Raft", "RaftMq.Records", "RaftMq.Storage", "RaftMq.Broker"],
        ["RaftMq.Cli"] = ["RaftMq.Kafka.Wire", "RaftMq.Storage", "RaftMq.Simulation"],
    };

    [Fact]
    public void No_project_has_an_arrow_that_is_not_in_the_table()
    {
        foreach ((string project, string[] references) in Repository.ReferencesBelow("src"))
        {
            Assert.True(Allowed.TryGetValue(project, out string[]? allowed), $"{project} is not in the table of layers.");
            Assert.Empty(references.Except(allowed, StringComparer.Ordinal).Select(r => $"{project} -> {r}"));
        }
    }

    [Fact]
    public void Internals_are_visible_to_own_tests_simulation_benchmarks_and_fuzzing_only()
    {
        foreach (string path in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            string project = Path.GetFileNameWithoutExtension(path);
            string[] friends =
            [
                .. System.Xml.Linq.XDocument.Load(path).Descendants("InternalsVisibleTo").Select(f => f.Attribute("Include")!.Value),
            ];
            Assert.Empty(friends.Except([$"{project}.Tests", "RaftMq.Simulation", "RaftMq.Benchmarks", "RaftMq.Fuzz"], StringComparer.Ordinal)
                .Select(f => $"{project} shows its internals to {f}"));
        }
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "RaftMq.sln"));
        foreach (string path in Repository.Files("*.csproj"))
        {
            Assert.Contains(Path.GetFileName(path), solution, StringComparison.Ordinal);
        }
    }
}
