using System.Diagnostics;
using System.Text.Json;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Testing.Processes;

namespace RaftMq.Chaos;

/// <summary>
/// The machine's own Debian package index, produced by librdkafka with idempotence, while the process that leads is killed with -9 at one
/// third and at two thirds acknowledged. DURABLE, ORDERED, IDEMPOTENT, on real processes and a real disk.
/// </summary>
public sealed class KillTest
{
    private const string Topic = "packages";
    private const int Partitions = 4;
    private const int RecordsMin = 10_000;
    private const int InFlightMin = 100;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task No_acknowledged_record_is_lost_doubled_moved_or_changed_when_leaders_are_killed()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await using TestCluster cluster = await TestCluster.StartAsync(new TestClusterOptions(), cancellation);
        try
        {
            await RunAsync(cluster, cancellation);
        }
        catch
        {
            cluster.KeepFiles();
            TestContext.Current.TestOutputHelper?.WriteLine(cluster.Report());
            throw;
        }
    }

    private static async Task RunAsync(TestCluster cluster, CancellationToken cancellation)
    {
        string index = Path.Combine(cluster.Folder, "index");
        string history = Path.Combine(cluster.Folder, "history");
        string gate = Path.Combine(cluster.Folder, "go-on");
        await using (ChildProcess dump = await ChildProcess.StartAsync("bash", ["-c", $"apt-cache dumpavail > {index}"]))
        {
            Assert.Equal(0, await dump.WaitForExitAsync(TimeSpan.FromSeconds(60), cancellation));
        }

        string script = Path.Combine(Repository.Root, "chaos", "RaftMq.Chaos", "clients", "kill_producer.py");
        await using ChildProcess producer = await ChildProcess.StartAsync(
            "/usr/bin/python3", [script, cluster.Bootstrap, Topic, index, history, gate, "1000000"]);
        Kill first = await KillLeaderAsync(cluster, producer, "acknowledged third", cancellation);
        await RestartAsync(cluster, first, cancellation);
        await File.WriteAllTextAsync(gate, "", cancellation);
        Kill second = await KillLeaderAsync(cluster, producer, "acknowledged two thirds", cancellation);
        await RestartAsync(cluster, second, cancellation);

        string line = await producer.WaitForLineAsync("result ", TimeSpan.FromSeconds(90), cancellation);
        JsonElement result = JsonSerializer.Deserialize<JsonElement>(line["result ".Length..]);
        List<HistoryLine> lines = [.. (await File.ReadAllLinesAsync(history, cancellation)).Select(HistoryLine.Parse)];
        Report(lines, first, second);
        Assert.True(lines.Count >= RecordsMin, $"{lines.Count} records: the package index is too small for this test");
        Assert.Empty(result.GetProperty("errors").EnumerateArray());
        Assert.All(lines, one => Assert.True(one.IsAcknowledged, $"record {one.Number} was never acknowledged"));
        foreach (Kill kill in (Kill[])[first, second])
        {
            Assert.True(InFlightAt(lines, kill) >= InFlightMin, $"{InFlightAt(lines, kill)} records in flight at a kill: it proves nothing");
            Assert.NotEqual(kill.Node, kill.LeaderAfter);
            Assert.Contains(lines, one => one.AnsweredNs > kill.LeaderKnownNs);
        }

        foreach (NodeUnderTest node in cluster.Nodes)
        {
            await CheckAllAsync(cluster, node, lines, cancellation);
        }
    }

    /// <summary>Makes the node lead each partition in turn and compares all that it serves with the history.</summary>
    private static async Task CheckAllAsync(
        TestCluster cluster, NodeUnderTest node, List<HistoryLine> lines, CancellationToken cancellation)
    {
        await using KafkaConnection connection = await KafkaConnection.ConnectAsync(
            new KafkaEndpoint("127.0.0.1", node.KafkaPort), new KafkaConnectionOptions(), cancellation);
        int records = 0;
        for (int partition = 0; partition < Partitions; partition++)
        {
            await cluster.TransferAsync(Topic, partition, node.Id, cancellation);
            SortedDictionary<long, string> served = await PartitionDump.ReadAsync(connection, Topic, partition, cancellation);
            List<HistoryLine> expected = [.. lines.Where(one => one.Partition == partition).OrderBy(one => one.Offset)];
            string where = $"node {node.Id}, partition {partition}";
            foreach (HistoryLine one in expected)
            {
                Assert.True(served.TryGetValue(one.Offset, out string? hash), $"{where}: acknowledged record {one.Number} at {one.Offset} is gone");
                Assert.True(hash == one.Hash, $"{where}: record {one.Number} at {one.Offset} has other bytes");
            }

            // Each was acknowledged at its own offset, so as many served as acknowledged means: none twice, none that nobody sent.
            Assert.Equal(expected.Count, expected.Select(one => one.Offset).Distinct().Count());
            Assert.Equal(expected.Count, served.Count);
            Assert.True(
                expected.Zip(expected.Skip(1)).All(pair => pair.First.Number < pair.Second.Number), $"{where}: not in the order of sending");
            records += served.Count;
        }

        Assert.Equal(lines.Count, records);
    }

    private static async Task<Kill> KillLeaderAsync(
        TestCluster cluster, ChildProcess producer, string when, CancellationToken cancellation)
    {
        // Who leads is known when the line comes: on a busy machine the producer would be at its gate before an answer.
        Task line = producer.WaitForLineAsync(when, TimeSpan.FromSeconds(120), cancellation);
        NodeUnderTest leader;
        do
        {
            leader = await cluster.WaitForLeaderAsync(Topic, 0, cancellation);
            await Task.WhenAny(line, Task.Delay(LookEvery, cancellation));
        }
        while (!line.IsCompleted);

        await line;
        long killedNs = NowNs();
        await leader.KillAsync(cancellation);
        NodeUnderTest next = await cluster.WaitForLeaderAsync(Topic, 0, cancellation, not: leader.Id);
        return new Kill(leader.Id, killedNs, next.Id, NowNs());
    }

    private static async Task RestartAsync(TestCluster cluster, Kill kill, CancellationToken cancellation)
    {
        await cluster.Node(kill.Node).StartAsync();
        await cluster.WaitReadyAsync(cancellation);
    }

    private static int InFlightAt(List<HistoryLine> lines, Kill kill) =>
        lines.Count(one => one.SentNs > 0 && one.SentNs < kill.AtNs && !(one.IsAcknowledged && one.AnsweredNs < kill.AtNs));

    private static void Report(List<HistoryLine> lines, Kill first, Kill second)
    {
        long[] answers = [.. lines.Where(one => one.IsAcknowledged).Select(one => one.AnsweredNs).Order()];
        long GapMs(Kill kill)
        {
            // The longest silence that began no earlier than the last answer before the kill, and no later than a new leader was known.
            long longest = 0;
            for (int i = 1; i < answers.Length; i++)
            {
                if (answers[i] > kill.AtNs && answers[i - 1] < kill.LeaderKnownNs)
                {
                    longest = Math.Max(longest, answers[i] - answers[i - 1]);
                }
            }

            return longest / 1_000_000;
        }

        Console.WriteLine(
            $"kill: {lines.Count} records, {answers.Length} acknowledged, in flight at the kills {InFlightAt(lines, first)} and {InFlightAt(lines, second)}, "
            + $"longest time without an ack {GapMs(first)} and {GapMs(second)} ms, leaders killed {first.Node} -> {first.LeaderAfter}, "
            + $"{second.Node} -> {second.LeaderAfter}");
    }

    /// <summary>The clock that the producer's history uses: CLOCK_MONOTONIC.</summary>
    private static long NowNs() => Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    private sealed record Kill(int Node, long AtNs, int LeaderAfter, long LeaderKnownNs);
}
