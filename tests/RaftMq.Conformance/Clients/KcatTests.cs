using System.Globalization;
using RaftMq.Records;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Clients;

/// <summary>kcat, as people use it in a shell.</summary>
public sealed class KcatTests(SharedCluster shared) : ClusterCase(shared.Cluster)
{
    private readonly string authorityFile = shared.AuthorityFile;

    [Theory]
    [InlineData("none", CompressionType.None)]
    [InlineData("gzip", CompressionType.Gzip)]
    [InlineData("snappy", CompressionType.Snappy)]
    [InlineData("lz4", CompressionType.Lz4)]
    [InlineData("zstd", CompressionType.Zstd)]
    public async Task Produces_and_consumes_with_every_compression(string compression, CompressionType stored)
    {
        string topic = ConformanceSettings.NewTopic("kcat-" + compression);
        await Probe.CreateTopicAsync(topic);
        await ShellAsync($"for n in $(seq 400); do echo \"key$n:a value that is long enough to be worth packing, number $n\"; done | kcat -P -b {Bootstrap} -t {topic} -K : -z {compression} -X linger.ms=20");
        string read = await ShellAsync($"kcat -C -q -b {Bootstrap} -t {topic} -e -f '%k %s\\n' | sort -u | wc -l");
        Assert.Equal("400", read.Trim());
        await AssertStoredAsAsync(topic, stored, 400);
    }

    /// <summary>The two commands of a first session, as they stand in the README, on the first 3,000 packages.</summary>
    [Fact]
    public async Task Package_index_goes_in_and_comes_out_with_the_commands_of_the_readme()
    {
        string topic = ConformanceSettings.NewTopic("packages");
        string folder = Directory.CreateTempSubdirectory("raftmq-kcat-").FullName;
        try
        {
            // awk's early exit would end apt-cache with SIGPIPE, hence no pipefail here.
            await ShellAsync(
                $$"""
                apt-cache dumpavail | awk -v RS= 'NR <= 3000 {p=$2; gsub(/\t/," "); gsub(/\n/,"\\n"); print p "\t" $0}' > {{folder}}/sent
                kcat -P -b {{Bootstrap}} -t {{topic}} -K '\t' -X acks=all -X enable.idempotence=true < {{folder}}/sent
                kcat -C -b {{Bootstrap}} -t {{topic}} -e -f '%o %k\n' > {{folder}}/offsets 2>/dev/null
                kcat -C -b {{Bootstrap}} -t {{topic}} -e -f '%k\t%s\n' 2>/dev/null | LC_ALL=C sort > {{folder}}/read
                LC_ALL=C sort {{folder}}/sent > {{folder}}/expected
                """);
            Assert.Equal(3000, File.ReadLines(Path.Combine(folder, "offsets")).Count());
            Assert.Equal(
                await File.ReadAllBytesAsync(Path.Combine(folder, "expected"), TestContext.Current.CancellationToken),
                await File.ReadAllBytesAsync(Path.Combine(folder, "read"), TestContext.Current.CancellationToken));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What <c>raftmq produce</c> writes lies where other clients put the same keys.</summary>
    [Fact]
    public async Task Keys_of_raftmq_produce_lie_with_those_of_kcat_by_murmur2()
    {
        string topic = ConformanceSettings.NewTopic("kcat-keys");
        await Probe.CreateTopicAsync(topic, partitions: 7);
        string lines = "for n in $(seq 200); do echo \"key-$n:$n\"; done";
        await ShellAsync($"{lines} | kcat -P -b {Bootstrap} -t {topic} -K : -X partitioner=murmur2_random");
        await ShellAsync($"{lines} | '{Repository.CommandProgram}' produce {topic} --key-separator : --bootstrap {Bootstrap}");
        string pairs = await ShellAsync($"kcat -C -q -b {Bootstrap} -t {topic} -e -f '%p %k\\n' | sort | uniq -c | awk '{{print $1}}' | sort | uniq -c");
        Assert.Equal("200 2", pairs.Trim());
    }

    [Fact]
    public async Task Speaks_tls_and_checks_the_certificate()
    {
        string topic = ConformanceSettings.NewTopic("kcat-tls");
        string tls = $"-b localhost:{Cluster.Nodes[0].TlsPort} -X security.protocol=ssl -X ssl.ca.location={authorityFile}";
        await ShellAsync($"seq 100 | kcat -P {tls} -t {topic}");
        string read = await ShellAsync($"kcat -C -q {tls} -t {topic} -e | sort -n | tail -1");
        Assert.Equal("100", read.Trim());
        string metadata = await ShellAsync($"kcat -L {tls}");
        Assert.All(Cluster.Nodes, node => Assert.Contains($"localhost:{node.TlsPort}", metadata, StringComparison.Ordinal));

        // Without the authority the client must refuse the node: if it does not, nothing here was checked.
        string refused = await ShellAsync($"kcat -L -b localhost:{Cluster.Nodes[0].TlsPort} -X security.protocol=ssl -m 3 2>&1 || true");
        Assert.Contains("certificate", refused, StringComparison.OrdinalIgnoreCase);
        string plain = await ShellAsync($"kcat -L -b localhost:{Cluster.Nodes[0].TlsPort} -m 3 2>&1 || true");
        Assert.DoesNotContain("3 brokers", plain, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_the_brokers_and_a_topic()
    {
        string topic = ConformanceSettings.NewTopic("kcat-list");
        await Probe.CreateTopicAsync(topic);
        string listed = await ShellAsync($"kcat -L -b {Bootstrap} -t {topic}");
        Assert.Contains("3 brokers", listed, StringComparison.Ordinal);
        Assert.Contains($"topic \"{topic}\" with 4 partitions", listed, StringComparison.Ordinal);
        Assert.Equal(4, listed.Split("partition ").Skip(1).Count(line => line.Contains("isrs: ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Balanced_consumer_reads_a_topic_and_goes_on_where_it_stopped()
    {
        string topic = ConformanceSettings.NewTopic("kcat-group");
        await Probe.CreateTopicAsync(topic);
        await ShellAsync($"seq 100 | kcat -P -b {Bootstrap} -t {topic}");
        string consume = $"timeout 40 kcat -q -b {Bootstrap} -X auto.offset.reset=earliest -G g-{topic} -c";
        Assert.Equal("100", (await ShellAsync($"{consume} 100 {topic} | sort -nu | wc -l")).Trim());
        await ShellAsync($"seq 101 150 | kcat -P -b {Bootstrap} -t {topic}");
        Assert.Equal("101 50", (await ShellAsync($"{consume} 50 {topic} | sort -n | awk 'NR==1{{f=$1}} END{{print f, NR}}'")).Trim());
    }

    [Fact]
    public async Task Balanced_consumers_join_share_and_leave()
    {
        string topic = ConformanceSettings.NewTopic("kcat-share");
        await Probe.CreateTopicAsync(topic);
        await using KcatMember first = await KcatMember.StartAsync(Bootstrap, topic);
        await OwnsAsync(first, 4);
        await using KcatMember second = await KcatMember.StartAsync(Bootstrap, topic);
        await OwnsAsync(second, 2);
        await OwnsAsync(first, 2);
        Assert.Empty(first.Owned.Intersect(second.Owned));
        await ShellAsync($"seq 100 | kcat -P -b {Bootstrap} -t {topic} -X partitioner=random -X sticky.partitioning.linger.ms=0");
        await TakenAsync(100, first, second);
        Assert.NotEmpty(first.Taken);
        Assert.NotEmpty(second.Taken);
        await second.LeaveAsync();
        await OwnsAsync(first, 4);
        await ShellAsync($"seq 101 200 | kcat -P -b {Bootstrap} -t {topic} -X partitioner=random -X sticky.partitioning.linger.ms=0");
        await TakenAsync(200, first, second);
    }

    [Fact]
    public async Task Static_member_that_returns_gets_its_partitions_without_a_rebalance()
    {
        string topic = ConformanceSettings.NewTopic("kcat-static");
        await Probe.CreateTopicAsync(topic);
        await using KcatMember first = await KcatMember.StartAsync(Bootstrap, topic, "one");
        await OwnsAsync(first, 4);
        IReadOnlyCollection<int> owned;
        int rebalances;
        await using (KcatMember second = await KcatMember.StartAsync(Bootstrap, topic, "two"))
        {
            await OwnsAsync(second, 2);
            await OwnsAsync(first, 2);
            owned = second.Owned;
            rebalances = first.Rebalances;
            await second.LeaveAsync();
        }

        await using KcatMember again = await KcatMember.StartAsync(Bootstrap, topic, "two");
        await OwnsAsync(again, 2);
        Assert.Equal(owned, again.Owned);

        // The first one heard of nothing: it takes what comes to its partitions, as it did before.
        await ShellAsync($"seq 100 | kcat -P -b {Bootstrap} -t {topic} -X partitioner=random -X sticky.partitioning.linger.ms=0");
        await TakenAsync(100, first, again);
        Assert.Equal(rebalances, first.Rebalances);
    }

    [Fact]
    public async Task Reads_from_an_offset_on_and_from_so_many_before_the_end()
    {
        string topic = ConformanceSettings.NewTopic("kcat-offset");
        await Probe.CreateTopicAsync(topic, partitions: 1);
        await ShellAsync($"seq 0 99 | kcat -P -b {Bootstrap} -t {topic}");
        Assert.Equal("77 99 23", await RangeFromAsync(topic, "77"));
        Assert.Equal("95 99 5", await RangeFromAsync(topic, "-5"));
        Assert.Equal("0 99 100", await RangeFromAsync(topic, "beginning"));
    }

    [Fact]
    public async Task Offset_of_a_time_is_found()
    {
        string topic = ConformanceSettings.NewTopic("kcat-time");
        await Probe.CreateTopicAsync(topic, partitions: 1);
        for (int send = 0; send < 3; send++)
        {
            await ShellAsync($"seq 5 | kcat -P -b {Bootstrap} -t {topic}");
        }

        string[] stamps = (await ShellAsync($"kcat -C -q -b {Bootstrap} -t {topic} -e -f '%T\\n'")).Split('\n');
        long[] times = [.. stamps.Select(stamp => long.Parse(stamp, CultureInfo.InvariantCulture))];
        Assert.True(times[4] + 1 < times[5] && times[9] + 1 < times[10], $"no time lies between the sends: {string.Join(' ', times)}");
        Assert.Equal(0, await OffsetOfTimeAsync(topic, 1));
        Assert.Equal(5, await OffsetOfTimeAsync(topic, times[5]));
        Assert.Equal(5, await OffsetOfTimeAsync(topic, times[4] + 1));
        Assert.Equal(10, await OffsetOfTimeAsync(topic, times[9] + 1));
        Assert.Equal(15, await OffsetOfTimeAsync(topic, -1));
        Assert.Equal(-1, await OffsetOfTimeAsync(topic, times[^1] + 1));
    }

    /// <returns>The first and the last value that are read from there on, and how many.</returns>
    private Task<string> RangeFromAsync(string topic, string offset) => ShellAsync(
        $"kcat -C -q -b {Bootstrap} -t {topic} -p 0 -o {offset} -e | awk 'NR==1{{f=$1}} END{{print f, $1, NR}}'");

    private async Task<int> OffsetOfTimeAsync(string topic, long time)
    {
        string found = await ShellAsync($"kcat -Q -b {Bootstrap} -t {topic}:0:{time}");
        return int.Parse(found[(found.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }

    private Task OwnsAsync(KcatMember member, int count) => Cluster.EventuallyAsync(
        $"a member to own {count} partitions",
        () => Task.FromResult(member.Owned.Count == count ? null : $"it owns {member.Owned.Count}\n{member.Tail()}"),
        TimeSpan.FromSeconds(40), TestContext.Current.CancellationToken);

    private Task TakenAsync(int count, params KcatMember[] members) => Cluster.EventuallyAsync(
        $"the members to take {count} records",
        () => Task.FromResult(members.SelectMany(member => member.Taken).Distinct().Count() is var taken && taken == count ? null : $"they took {taken}"),
        TimeSpan.FromSeconds(40), TestContext.Current.CancellationToken);

    private static async Task<string> ShellAsync(string script)
    {
        await using ChildProcess shell = await ChildProcess.StartAsync("bash", ["-c", "set -e -o pipefail\n" + script]);
        int code = await shell.WaitForExitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.True(code == 0, $"exit code {code} of: {script}\n{shell.Tail()}");
        return string.Join('\n', shell.Output);
    }
}
