using System.Globalization;
using System.Text.RegularExpressions;
using RaftMq.Kafka.Wire;

namespace RaftMq.Kafka.Tests;

/// <summary>docs/kafka.md says what the code does, no more and no less.</summary>
public sealed partial class KafkaDocumentTests
{
    [Fact]
    public void Every_served_api_is_in_the_table_with_its_versions()
    {
        IEnumerable<string> documented = Rows(columns: 4)
            .Where(row => int.TryParse(row[0], CultureInfo.InvariantCulture, out _))
            .Select(row => $"{row[0]} {row[1]} {row[2]}");
        IEnumerable<string> served = ServedVersions.All.Select(range => $"{(short)range.Key} {range.Key} {range.Min}-{range.Max}");
        Assert.Equal(served, documented);
    }

    [Fact]
    public void Every_error_that_can_be_answered_is_in_the_table_and_no_other()
    {
        var inCode = new SortedSet<string>(StringComparer.Ordinal);
        string source = Path.Combine(Root(), "src", "RaftMq.Kafka");
        foreach (string file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories))
        {
            if (Path.GetRelativePath(source, file).Split(Path.DirectorySeparatorChar)[0] is "obj" or "bin")
            {
                continue;
            }

            foreach (Match match in Uses().Matches(File.ReadAllText(file)))
            {
                inCode.Add(KafkaErrors.Name(Enum.Parse<KafkaError>(match.Groups["name"].Value)));
            }
        }

        inCode.Remove(KafkaErrors.Name(KafkaError.None));
        Assert.True(inCode.Count > 40);
        Assert.Equal(inCode, Errors().Select(row => row[0]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Whether_a_client_retries_is_as_the_protocol_has_it()
    {
        Dictionary<string, KafkaError> byName = Enum.GetValues<KafkaError>().ToDictionary(KafkaErrors.Name, StringComparer.Ordinal);
        foreach (string[] row in Errors())
        {
            Assert.True(
                KafkaErrors.IsRetriable(byName[row[0]]) == row[2].StartsWith("yes", StringComparison.Ordinal), $"{row[0]}: {row[2]}");
            Assert.All(row, cell => Assert.NotEmpty(cell));
        }
    }

    [Fact]
    public void The_limits_in_the_table_are_the_defaults()
    {
        var limits = new KafkaLimits();
        Dictionary<string, string> documented = Rows(columns: 3).Skip(1).ToDictionary(row => row[0], row => row[1], StringComparer.Ordinal);
        Assert.Equal(limits.ElementsPerRequestMax.ToString("N0", CultureInfo.InvariantCulture), documented["array elements in one request"]);
        Assert.StartsWith($"{limits.FetchBytesMax >> 20} MiB", documented["record bytes in one fetch answer"], StringComparison.Ordinal);
        Assert.Equal($"{limits.FetchWaitMsMax / 60_000} minutes", documented["wait of a fetch"]);
        Assert.Equal($"{limits.AutoCreatesPerRequestMax}", documented["topics created by one metadata request"]);
        Assert.Equal($"{limits.AdminCommandsAtOnceMax}", documented["administrative commands of one request at a time"]);
    }

    private static IEnumerable<string[]> Errors() => Rows(columns: 4).Where(row => ErrorName().IsMatch(row[0]));

    private static IEnumerable<string[]> Rows(int columns) =>
        File.ReadLines(Path.Combine(Root(), "docs", "kafka.md"))
            .Where(line => line.StartsWith('|') && !line.StartsWith("|-", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray())
            .Where(row => row.Length == columns);

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "RaftMq.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("RaftMq.sln is not above the tests.");
    }

    [GeneratedRegex(@"KafkaError\.(?<name>\w+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Uses();

    [GeneratedRegex("^[A-Z]+(_[A-Z]+)+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ErrorName();
}
