using System.Text;
using RaftMq.Kafka.Wire;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.SystemCalls;

/// <summary>
/// Three node processes under strace. Nothing that the broker says about itself is believed: for each acknowledged record the system
/// calls must show that enough nodes had it in their journal, flushed, before the first byte of the acknowledgement left.
/// </summary>
public sealed class AckAfterFsyncTests : IAsyncLifetime
{
    private const int Records = 25;

    /// <summary>Small files: what is filled with zeros at the start is written through strace too.</summary>
    private static readonly Dictionary<string, string> s_settings = new() { ["journal.file.bytes"] = "1MiB", ["journal.total.bytes"] = "4MiB" };

    private TestCluster cluster = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => cluster = await TestCluster.StartAsync(
        new TestClusterOptions { Settings = s_settings, Launcher = folder => SystemCallTrace.CommandLine(TraceOf(folder)) }, Cancellation);

    public async ValueTask DisposeAsync()
    {
        ClusterCase.ShowIfFailed(cluster);
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task No_acknowledgement_leaves_before_fdatasync_returned_on_as_many_nodes_as_promised()
    {
        List<Sent> sent = [.. await ProduceAsync("majority", minInSync: 2), .. await ProduceAsync("all-three", minInSync: 3)];
        List<IReadOnlyList<SystemCall>> traces = await StopAndReadAsync();
        foreach (Sent one in sent)
        {
            string? fault = DurableAck.Fault(traces, one.Leader, one.Mark, one.NodesMin);
            Assert.True(fault is null, $"{Encoding.UTF8.GetString(one.Mark)}: {fault}");
        }

        // The same traces without one node's flushes prove nothing for a record that all three must have.
        Sent last = sent[^1];
        traces[(last.Leader + 1) % 3] = [.. traces[(last.Leader + 1) % 3].Where(call => call.Name != "fdatasync")];
        Assert.NotNull(DurableAck.Fault(traces, last.Leader, last.Mark, last.NodesMin));
    }

    private static string TraceOf(string folder) => folder + ".strace";

    /// <summary>One record at a time, each with a mark that occurs nowhere else.</summary>
    private async Task<List<Sent>> ProduceAsync(string topic, int minInSync)
    {
        await using KafkaProbe probe = new(cluster);
        await probe.CreateTopicAsync(topic, partitions: 1, ("min.insync.replicas", $"{minInSync}"));
        NodeUnderTest leader = await cluster.WaitForLeaderAsync(topic, 0, Cancellation);
        List<Sent> sent = [];
        while (sent.Count < Records)
        {
            byte[] mark = Encoding.UTF8.GetBytes($"{topic}-{sent.Count}-{Guid.NewGuid():N}");
            (KafkaError error, _) = await probe.ProduceAsync(topic, 0, timeoutMs: 10_000, leader.Id, mark);
            Assert.Equal(KafkaError.None, error);
            sent.Add(new Sent(leader.Id - 1, mark, minInSync));
        }

        return sent;
    }

    private async Task<List<IReadOnlyList<SystemCall>>> StopAndReadAsync()
    {
        int[] tracers = [.. cluster.Nodes.Select(node => SystemCallTrace.TracerOf(node.Process!.Id))];
        Assert.DoesNotContain(0, tracers);
        await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync(Cancellation)));
        await cluster.EventuallyAsync(
            "strace to end after its node",
            () => Task.FromResult(Array.Exists(tracers, id => Directory.Exists($"/proc/{id}")) ? "one still runs" : null),
            TimeSpan.FromSeconds(10), Cancellation);
        return [.. cluster.Nodes.Select(node => SystemCallTrace.Read(File.ReadLines(TraceOf(node.Folder))))];
    }

    private sealed record Sent(int Leader, byte[] Mark, int NodesMin);
}
