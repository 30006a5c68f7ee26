using System.Text;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Commands;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Tests.Brokers;

/// <summary><c>raftmq consume</c> where there is nothing to read, or nothing that can be.</summary>
public sealed class ConsumeTests : IAsyncDisposable
{
    private readonly FakeBroker broker = new() { FirstOffset = 5, EndOffset = 10 };

    public ValueTask DisposeAsync() => broker.DisposeAsync();

    [Fact]
    public async Task From_beyond_the_end_says_so_and_waits_for_the_log_to_get_there()
    {
        broker.Fetch = n => n < 3 ? new FetchResponse.Partition { Error = KafkaError.OffsetOutOfRange } : FakeBroker.Record(20, "late");

        (int code, string output, string error) = await RunAsync("--from", "20", "--count", "1");

        Assert.Equal(ExitCodes.Done, code);
        Assert.Equal("late\n", output);
        Assert.Equal("t/0 ends at offset 10, before 20: waiting until it gets there.\n", error);
    }

    [Fact]
    public async Task From_beyond_the_end_is_an_error_where_the_end_was_to_be_the_last()
    {
        (int code, _, string error) = await RunAsync("--from", "20", "--exit");

        Assert.Equal(ExitCodes.Failed, code);
        Assert.Equal("t/0 ends at offset 10, before 20.\nThere is nothing to read from offset 20 on.\n", error);
        Assert.Equal(0, broker.Fetches);
    }

    [Fact]
    public async Task From_before_the_first_record_says_where_it_begins()
    {
        broker.Fetch = _ => FakeBroker.Record(5, "first");

        (int code, string output, string error) = await RunAsync("--from", "2", "--count", "1");

        Assert.Equal(ExitCodes.Done, code);
        Assert.Equal("first\n", output);
        Assert.StartsWith("t/0 begins at offset 5: what was before is gone", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task From_the_end_itself_is_nothing_to_warn_of()
    {
        broker.Fetch = _ => FakeBroker.Record(10, "new");

        (int code, _, string error) = await RunAsync("--from", "10", "--count", "1");

        Assert.Equal(ExitCodes.Done, code);
        Assert.Empty(error);
    }

    [Fact]
    public async Task Records_that_go_while_they_are_read_end_it_with_a_sentence()
    {
        (int code, _, string error) = await RunAsync("--count", "1");

        Assert.Equal(ExitCodes.Failed, code);
        Assert.Equal("t/0 can't be read at offset 5: that record is gone, by retention or by deletion of records (OFFSET_OUT_OF_RANGE).\n", error);
    }

    /// <summary>Red before: it went on for ever. A read that goes well in between begins the time anew.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Damaged_log_ends_it_after_a_while_with_what_to_do()
    {
        broker.Fetch = n => n == 2 ? FakeBroker.Record(5, "whole") : new FetchResponse.Partition { Error = KafkaError.KafkaStorageError };
        await using KafkaCluster cluster = CommonOptions.Cluster(broker.Bootstrap);
        var reader = new RecordsReader(cluster, "t", _ => Task.CompletedTask) { StorageErrorTime = TimeSpan.FromSeconds(0.5) };
        await reader.OpenAsync(partition: null, RecordsReader.Beginning, untilEnd: false, TestContext.Current.CancellationToken);
        List<long> read = [];

        CommandFailedException failed = await Assert.ThrowsAsync<CommandFailedException>(async () =>
        {
            await foreach (ConsumedRecord record in reader.ReadAsync(9, TestContext.Current.CancellationToken))
            {
                read.Add(record.Offset);
            }
        });

        Assert.Equal([5], read);
        Assert.Equal(ExitCodes.Failed, failed.ExitCode);
        Assert.StartsWith(
            "t/0 can't be read at offset 6: for 0.5 s its leader says that its log is damaged there (KAFKA_STORAGE_ERROR).", failed.Message,
            StringComparison.Ordinal);
        Assert.Contains("raftmq partition transfer", failed.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Partition_that_is_waited_for_is_told_of_once()
    {
        broker.Fetch = n => n < 6 ? new FetchResponse.Partition { Error = KafkaError.NotLeaderOrFollower } : FakeBroker.Record(5, "whole");
        await using KafkaCluster cluster = CommonOptions.Cluster(broker.Bootstrap);
        List<string> said = [];
        var reader = new RecordsReader(cluster, "t", sentence =>
        {
            said.Add(sentence);
            return Task.CompletedTask;
        })
        { NoticeTime = TimeSpan.FromSeconds(0.1) };
        await reader.OpenAsync(partition: null, RecordsReader.Beginning, untilEnd: false, TestContext.Current.CancellationToken);

        await foreach (ConsumedRecord record in reader.ReadAsync(1, TestContext.Current.CancellationToken))
        {
            Assert.Equal(5, record.Offset);
        }

        Assert.Equal("t/0 can't be read for 0.1 s: NOT_LEADER_OR_FOLLOWER. Waiting on.", Assert.Single(said));
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] options)
    {
        using var output = new MemoryStream();
        var error = new StringWriter();
        var streams = new StandardStreams(() => Stream.Null, () => output);
        int code = await CommandTree.RunAsync(["consume", "t", "--bootstrap", broker.Bootstrap, .. options], TextWriter.Null, error, streams);
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
