using System.Globalization;
using System.Text.RegularExpressions;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Clients;

/// <summary>A member of a consumer group that is a kcat of its own; what it owns and takes is read from what it prints.</summary>
internal sealed partial class KcatMember : IAsyncDisposable
{
    private const string RebalancedPrefix = "% Group ";
    private const string RecordPrefix = "taken ";

    private readonly ChildProcess process;

    private KcatMember(ChildProcess process) => this.process = process;

    /// <param name="bootstrap">The nodes.</param>
    /// <param name="topic">The topic, for which the group is named.</param>
    /// <param name="instance">The static member's id; null: the member is none.</param>
    public static async Task<KcatMember> StartAsync(string bootstrap, string topic, string? instance = null) => new(await ChildProcess.StartAsync(
        "kcat",
        [
            "-b", bootstrap, "-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=20000", "-X", "heartbeat.interval.ms=300",
            "-X", "fetch.wait.max.ms=100", .. instance is null ? (string[])[] : ["-X", $"group.instance.id={instance}"],
            "-u", "-f", RecordPrefix + "%p/%o\\n", "-G", "g-" + topic, topic,
        ]));

    /// <summary>The partitions that it was assigned last; none while it waits for an assignment.</summary>
    public IReadOnlyCollection<int> Owned => Rebalanced.LastOrDefault() is { } line && line.Contains("assigned: ", StringComparison.Ordinal)
        ? [.. PartitionInBrackets().Matches(line).Select(match => int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture)).Order()]
        : [];

    public int Rebalances => Rebalanced.Count();

    /// <summary>Each record that it printed, as partition/offset.</summary>
    public IEnumerable<string> Taken => process.Output.Where(line => line.StartsWith(RecordPrefix, StringComparison.Ordinal));

    private IEnumerable<string> Rebalanced => process.Output.Where(line => line.StartsWith(RebalancedPrefix, StringComparison.Ordinal));

    public string Tail() => process.Tail();

    /// <summary>Ends it in good order. A static member does not tell the group.</summary>
    public async Task LeaveAsync()
    {
        process.Terminate();
        await process.WaitForExitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    [GeneratedRegex(@"\[(?<number>\d+)\]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PartitionInBrackets();
}
