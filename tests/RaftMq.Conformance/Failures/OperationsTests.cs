using System.Text;
using System.Text.Json;
using RaftMq.Kafka.Wire;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>What docs/operations.md says of a full disk, a damaged group and a lost data folder.</summary>
public sealed class OperationsTests : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>A small journal is soon used again, so that segments are written, and durable, after a few megabytes.</summary>
    private static readonly Dictionary<string, string> s_settings = new()
    {
        ["journal.file.bytes"] = "1MiB",
        ["journal.total.bytes"] = "4MiB",
        ["offsets.topic.num.partitions"] = "1",
    };

    private TestCluster? cluster;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
        {
            ClusterCase.ShowIfFailed(cluster);
            await cluster.DisposeAsync();
        }
    }

    /// <summary>The node has a file system of 40 MiB for itself, most of it taken by a file that is not its own. It keeps nothing free: writes fail.</summary>
    [Fact]
    public async Task A_full_disk_refuses_produce_serves_reads_and_goes_on_when_there_is_room()
    {
        await StartOnSmallDiskAsync(("disk.free.bytes.min", "0"), ("disk.free.bytes.low", "0"));
        await using KafkaProbe probe = new(cluster!);
        NodeUnderTest node = cluster!.Nodes[0];
        string filler = $"/proc/{node.Process!.Id}/root{node.Folder}/filler";
        await File.WriteAllBytesAsync(filler, new byte[16 << 20], Cancellation);
        await probe.CreateTopicAsync("t", partitions: 1, replicas: 1);
        int stored = 0;
        KafkaError error;
        while ((error = await ProduceAsync(probe)) == KafkaError.None)
        {
            stored++;
            Assert.True(stored < 200, "100 MB fit on a disk of 40 MiB");
        }

        Assert.Equal(KafkaError.KafkaStorageError, error);
        Assert.True(stored > 4, $"only {stored} batches were stored");
        Assert.Equal(stored, (await probe.BatchesAsync("t")).Count);
        await LogSaysAsync(node, "DiskFull: ");

        File.Delete(filler);
        await cluster.EventuallyAsync(
            "a send to be stored", async () => await ProduceAsync(probe) is var now and not KafkaError.None ? now.ToString() : null, s_patience, Cancellation);

        Assert.Equal(stored + 1, (await probe.BatchesAsync("t")).Count);
        await LogSaysAsync(node, "DiskHasRoom: ");
        Assert.True(node.IsRunning);
    }

    /// <summary>The node's own records fill the disk; a shorter retention, by the command of the page, makes room.</summary>
    [Fact]
    public async Task Below_its_mark_a_node_refuses_produce_says_why_and_goes_on_when_retention_has_made_room()
    {
        await StartOnSmallDiskAsync(("disk.free.bytes.min", "12MiB"), ("disk.free.bytes.low", "14MiB"));
        await using KafkaProbe probe = new(cluster!);
        NodeUnderTest node = cluster!.Nodes[0];
        await probe.CreateTopicAsync("t", partitions: 1, replicas: 1, ("segment.bytes", "1048576"));
        int stored = 0;
        KafkaError error;
        while ((error = await ProduceAsync(probe)) == KafkaError.None)
        {
            stored++;
            Assert.True(stored < 200, "100 MB fit on a disk of 40 MiB");
        }

        Assert.Equal(KafkaError.KafkaStorageError, error);
        Assert.Equal(stored, (await probe.BatchesAsync("t")).Count);
        await LogSaysAsync(node, "DiskFull: ");
        JsonElement status = JsonSerializer.Deserialize<JsonElement>(await cluster.GetTextAsync(node, "/v1/status", Cancellation));
        Assert.Equal("short", status.GetProperty("diskRoom").GetString());
        Assert.Equal(0, status.GetProperty("replicasWithoutRoom").GetInt32());
        Assert.InRange(status.GetProperty("diskFreeBytes").GetInt64(), 1, 12 << 20);
        Assert.Contains("ready; the disk is nearly full", await cluster.GetTextAsync(node, "/health/ready", Cancellation), StringComparison.Ordinal);
        Assert.Contains("raftmq_node_disk_full 1\n", await cluster.GetTextAsync(node, "/metrics", Cancellation), StringComparison.Ordinal);
        string told = (await Assert.ThrowsAnyAsync<Exception>(() => cluster.CommandAsync(Cancellation, "cluster", "status"))).Message;
        Assert.Contains("the disk is nearly full", told, StringComparison.Ordinal);

        using HttpClient http = new();
        using StringContent shorter = new("{\"retention.bytes\":\"1048576\"}", Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await http.PatchAsync(new Uri($"http://127.0.0.1:{node.HttpPort}/v1/topics/t/configs"), shorter, Cancellation);
        Assert.True(answer.IsSuccessStatusCode);
        await cluster.EventuallyAsync(
            "a send to be stored", async () => await ProduceAsync(probe) is var now and not KafkaError.None ? now.ToString() : null, s_patience, Cancellation);
        await LogSaysAsync(node, "DiskHasRoom: ");
        Assert.True(node.IsRunning);
    }

    [Fact]
    public async Task Damaged_data_of_a_node_is_mended_and_a_node_without_its_data_stays_out()
    {
        cluster = await TestCluster.StartAsync(new TestClusterOptions { Settings = s_settings }, Cancellation);
        await using KafkaProbe probe = new(cluster);
        await probe.CreateTopicAsync("t", partitions: 1);
        for (int batch = 0; batch < 20; batch++)
        {
            Assert.Equal(KafkaError.None, await ProduceAsync(probe));
        }

        NodeUnderTest damaged = cluster.Nodes.First(node => node.Id != 3);
        Assert.Equal(0, await damaged.StopAsync(Cancellation));
        string spoilt = Directory.EnumerateFiles(Path.Combine(damaged.Folder, "groups"), "*.log", SearchOption.AllDirectories)
            .Single(file => file.Contains("/t-0-", StringComparison.Ordinal) && Path.GetFileName(file).Trim('0') == "1.log");
        Flip(spoilt);
        string[] said = await DoctorSaysAsync(1, damaged);
        Assert.Contains(said, line => line.StartsWith($"{Path.GetRelativePath(damaged.Folder, spoilt)} ", StringComparison.Ordinal) && line.Contains(" damaged ", StringComparison.Ordinal));
        Assert.Contains(said, line => line.StartsWith("t-0 ", StringComparison.Ordinal));
        await damaged.StartAsync();
        await cluster.WaitReadyAsync(Cancellation);
        await LogSaysAsync(damaged, "GroupMended: t-0");
        await cluster.EventuallyAsync(
            "nothing is damaged any more",
            async () => (await cluster.GetTextAsync(damaged, "/metrics", Cancellation)).Contains("raftmq_node_damaged_groups 0", StringComparison.Ordinal) ? null : "something is",
            s_patience, Cancellation);
        Assert.Contains(damaged.Process!.Output, line => line.Contains("GroupDamaged: t-0 does not start on this node", StringComparison.Ordinal));
        await StoresAgainAsync(probe, stored: 21);

        // The mended node may now be one of the majority without node 3.
        NodeUnderTest lost = cluster.Node(3);
        Assert.Contains(await DoctorSaysAsync(11, lost), line => line.StartsWith($"A node runs on {lost.Folder}", StringComparison.Ordinal));
        await lost.KillAsync(Cancellation);
        Assert.Contains(await DoctorSaysAsync(0, lost), line => line.StartsWith("whole: ", StringComparison.Ordinal));
        Directory.Delete(lost.Folder, recursive: true);
        await lost.StartAsync();
        Assert.Equal(69, await lost.Process!.WaitForExitAsync(s_patience, Cancellation));
        Assert.Contains(lost.Process.Output, line => line.Contains("Node 3 is known with another folder", StringComparison.Ordinal));
    }

    private async Task StartOnSmallDiskAsync(params (string Key, string Value)[] settings) => cluster = await TestCluster.StartAsync(
        new TestClusterOptions
        {
            Nodes = 1,
            Settings = s_settings.Concat(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))).ToDictionary(),
            Launcher = folder =>
            [
                "unshare", "--mount", .. Environment.UserName == "root" ? (string[])[] : ["--map-root-user"], "/bin/sh", "-c",
                $"mkdir -p '{folder}' && mount -t tmpfs -o size=40m raftmq-test '{folder}' && exec \"$0\" \"$@\"",
            ],
        },
        Cancellation);

    /// <summary>A batch of half a megabyte.</summary>
    private async Task<KafkaError> ProduceAsync(KafkaProbe probe)
    {
        NodeUnderTest leader = await cluster!.WaitForLeaderAsync("t", 0, Cancellation);
        return (await probe.ProduceAsync("t", 0, timeoutMs: 10_000, leader.Id, new byte[512 << 10])).Error;
    }

    private Task LogSaysAsync(NodeUnderTest node, string what) => cluster!.EventuallyAsync(
        $"the log to say {what}",
        () => Task.FromResult(node.Process!.Output.Any(line => line.Contains(what, StringComparison.Ordinal)) ? null : "it does not"),
        s_patience, Cancellation);

    private static async Task<string[]> DoctorSaysAsync(int code, NodeUnderTest node)
    {
        await using ChildProcess doctor = await ChildProcess.StartAsync(Repository.CommandProgram, ["doctor", node.Folder]);
        Assert.Equal(code, await doctor.WaitForExitAsync(s_patience, Cancellation));
        return [.. doctor.Output];
    }

    private static void Flip(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(file, bytes);
    }

    private async Task StoresAgainAsync(KafkaProbe probe, int stored)
    {
        await cluster!.EventuallyAsync(
            "a send to be stored", async () => await ProduceAsync(probe) is var now and not KafkaError.None ? now.ToString() : null, s_patience, Cancellation);
        Assert.Equal(stored, (await probe.BatchesAsync("t")).Count);
    }
}
