using System.IO.Pipelines;
using System.Text;
using System.Text.RegularExpressions;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Commands;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Kafka.Wire.Tests.Client;
using RaftMq.Testing;

namespace RaftMq.Cli.Tests.Brokers;

/// <summary><c>raftmq produce</c>: which bytes it sends, what it says while it waits, and how it ends.</summary>
public sealed class ProduceTests
{
    private static readonly byte[] EveryByte = [.. Enumerable.Range(0, 256).Select(value => (byte)value).Where(value => value != '\n')];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Red before: what is not UTF-8 became replacement characters, and \r was gone.</summary>
    [Fact]
    public async Task Bytes_are_sent_as_they_are()
    {
        await using var broker = new FakeBroker();

        (int code, _, string error) = await RunAsync(broker, [.. EveryByte, (byte)'\n', .. "crlf\r\nlast"u8]);

        Assert.Equal((ExitCodes.Done, ""), (code, error));
        Assert.Equal([EveryByte, "crlf\r"u8.ToArray(), "last"u8.ToArray()], Records(broker).Select(record => record.Value));
        Assert.All(Records(broker), record => Assert.Null(record.Key));
    }

    [Fact]
    public async Task A_line_is_divided_at_the_first_separator_which_is_bytes_too()
    {
        await using var broker = new FakeBroker();
        byte[] key = [0xC3, (byte)'\r', 0xFF];

        (int code, _, string error) = await RunAsync(
            broker, [.. key, .. "→v→w\n→empty key\nno key"u8], "--key-separator", "→", "--keys-optional");

        Assert.Equal((ExitCodes.Done, ""), (code, error));
        Assert.Equal([key, [], null], Records(broker).Select(record => record.Key));
        Assert.Equal(["v→w", "empty key", "no key"], Records(broker).Select(record => Encoding.UTF8.GetString(record.Value)));
    }

    [Theory]
    [InlineData("nokey\n", "Line 1 has no key: ':' is not in it. Nothing was before it; it and what follows were not sent; --keys-optional stores such lines without a key.")]
    [InlineData("k:v\nnokey\n", "Line 2 has no key: ':' is not in it. The line before it is acknowledged; it and what follows were not sent; --keys-optional stores such lines without a key.")]
    [InlineData("k:v\nk:v\nnokey", "Line 3 has no key: ':' is not in it. The 2 lines before it are acknowledged; it and what follows were not sent; --keys-optional stores such lines without a key.")]
    public async Task A_line_without_a_key_ends_it_behind_those_before(string input, string sentence)
    {
        await using var broker = new FakeBroker();

        (int code, _, string error) = await RunAsync(broker, Encoding.UTF8.GetBytes(input), "--key-separator", ":");

        Assert.Equal((ExitCodes.Failed, sentence + "\n"), (code, error));
        Assert.Equal(input.Split("k:v").Length - 1, Records(broker).Length);
    }

    [Theory]
    [InlineData("x", "1 record acknowledged\n")]
    [InlineData("", "0 records acknowledged\n")]
    [InlineData("x\ny\n", "2 records acknowledged\n")]
    public async Task It_says_how_many_were_acknowledged(string input, string sentence)
    {
        await using var broker = new FakeBroker();
        Assert.Equal((ExitCodes.Done, sentence, ""), await RunAsync(broker, Encoding.UTF8.GetBytes(input)));
    }

    /// <summary>Red before: a full batch was refused as a whole where the topic takes only smaller ones.</summary>
    [Fact]
    public async Task Batches_are_as_the_topic_takes_them()
    {
        await using var broker = new FakeBroker { Settings = { ["max.message.bytes"] = "1024" } };
        string[] lines = [.. Enumerable.Range(0, 100).Select(n => $"{n}{new string('x', 90)}")];

        (int code, _, string error) = await RunAsync(broker, Encoding.UTF8.GetBytes(string.Join('\n', lines)));

        Assert.Equal((ExitCodes.Done, ""), (code, error));
        Assert.Equal(lines, Records(broker).Select(record => Encoding.UTF8.GetString(record.Value)));
        Assert.InRange(broker.Sends.Count, 10, 20);
        Assert.Equal(broker.Sends.Select((_, n) => broker.Sends.Take(n).Sum(sent => sent.Records.Count)), broker.Sends.Select(sent => sent.Sequence));
    }

    /// <summary>Red before: neither line nor limit was told.</summary>
    [Theory]
    [InlineData(960, "Line 3 is too long: its batch of 1030 bytes is larger than t takes, which is 1024 (max.message.bytes)")]
    [InlineData(5000, "Line 3 is too long: with more than 1024 bytes it does not fit the largest batch that t takes (max.message.bytes)")]
    public async Task A_line_that_the_topic_does_not_take_is_named_with_the_setting(int bytes, string sentence)
    {
        await using var broker = new FakeBroker { Partitions = 2, Settings = { ["max.message.bytes"] = "1024" } };

        (int code, _, string error) = await RunAsync(broker, Encoding.UTF8.GetBytes($"one\ntwo\n{new string('x', bytes)}\nfour\n"));

        Assert.Equal((ExitCodes.Failed, sentence + ". The 2 lines before it are acknowledged; it and what follows were not sent.\n"), (code, error));
        Assert.Equal(["one", "two"], Records(broker).Select(record => Encoding.UTF8.GetString(record.Value)));
    }

    /// <summary>Red before: the whole batch was refused, without a line.</summary>
    [Theory]
    [InlineData(1, "one two three big-four five big-six", "one two three", "The 3 lines before it are acknowledged; it and what follows are not.")]
    [InlineData(
        2, "one two three big-four five big-six", "one three five two",
        "The 3 lines before it are acknowledged; 1 line after it, to other partitions, is as well; it and the rest are not.")]
    [InlineData(2, "one two big-three four", "one two", "The 2 lines before it are acknowledged; it and what follows are not.")]
    [InlineData(2, "one big-two", "one", "The line before it is acknowledged; it and what follows are not.")]
    public async Task A_record_that_the_leader_refuses_is_named_by_its_line_and_what_is_before_it_is_stored(
        int partitions, string words, string expected, string sentence)
    {
        string[] lines = words.Split(' ');
        List<string> stored = [];
        await using var broker = new FakeBroker
        {
            Partitions = partitions,
            Produce = (_, sent) =>
            {
                string[] values = [.. sent.Records.Select(record => Encoding.UTF8.GetString(record.Value))];
                if (Array.Exists(values, value => value.Contains("big", StringComparison.Ordinal)))
                {
                    return new ProduceResponse.Partition { Error = KafkaError.MessageTooLarge };
                }

                stored.AddRange(values);
                return new ProduceResponse.Partition();
            },
        };

        (int code, _, string error) = await RunAsync(broker, Encoding.UTF8.GetBytes(string.Join('\n', lines)));

        Assert.Equal(ExitCodes.Failed, code);
        int line = Array.FindIndex(lines, word => word.StartsWith("big", StringComparison.Ordinal)) + 1;
        Assert.Matches(
            $@"^Line {line} was refused by t/[01]: its batch of 7[0-9] bytes is larger than the leader takes \(MESSAGE_TOO_LARGE\): "
            + $@"max\.message\.bytes of the topic, or limits\.record\.batch\.bytes of the leader's node\. {Regex.Escape(sentence)}\n$",
            error);
        Assert.Equal(expected.Split(' '), stored);
    }

    [Fact]
    public async Task A_refusal_of_another_kind_names_the_line_and_what_the_broker_says()
    {
        await using var broker = new FakeBroker
        {
            Produce = (_, _) => new ProduceResponse.Partition { Error = KafkaError.InvalidTimestamp, ErrorMessage = "The record is of tomorrow." },
        };

        (int code, _, string error) = await RunAsync(broker, "one"u8.ToArray());

        Assert.Equal(
            (ExitCodes.Failed, "Line 1 was refused by t/0: The record is of tomorrow (INVALID_TIMESTAMP). Nothing was before it; it and what follows are not.\n"),
            (code, error));
    }

    /// <summary>Red before: it waited for a minute, said nothing, and then not what was acknowledged.</summary>
    [Fact(Timeout = 60_000)]
    public async Task What_it_waits_for_is_said_again_and_again_and_has_an_end()
    {
        await using var broker = new FakeBroker
        {
            Produce = (n, _) => new ProduceResponse.Partition { Error = n == 0 ? KafkaError.None : KafkaError.NotEnoughReplicas },
        };
        var input = new Pipe();
        await input.Writer.WriteAsync("one\n"u8.ToArray(), Cancellation);
        List<string> said = [];

        Task<CommandFailedException> ended = EndedAsync(broker, said, input.Reader.AsStream());
        await Eventually.HoldsAsync(() => broker.Sends.Count == 1, () => $"{broker.Sends.Count} sends", deadlineMs: 30_000);
        await input.Writer.WriteAsync("two\nthree\n"u8.ToArray(), Cancellation);
        CommandFailedException failed = await ended;

        const string What = "fewer replicas are in sync than the topic's min.insync.replicas asks for; raftmq topic describe shows which (NOT_ENOUGH_REPLICAS)";
        Assert.Equal(ExitCodes.Unreachable, failed.ExitCode);
        Assert.Equal(
            $"t/0 has acknowledged nothing for 1 s: {What}. 1 record is acknowledged, 2 that were read are not (2 of them may be stored all the same).", failed.Message);

        // On a slow machine the way to the topic takes long enough to be told, too.
        string[] ofSends = [.. said.SkipWhile(static sentence => sentence.StartsWith("t can't be written for", StringComparison.Ordinal))];
        Assert.InRange(ofSends.Length, 2, 20);
        Assert.All(ofSends, sentence => Assert.Matches(
            @"^t/0 has acknowledged nothing for [01](\.[0-9])? s: .*\. Waiting on, until 1 s are over\.$", sentence));
        Assert.Contains(ofSends, sentence => sentence.Contains(What, StringComparison.Ordinal));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_leader_that_says_nothing_or_goes_is_not_waited_for_without_an_end(bool silent)
    {
        using var asked = new ManualResetEventSlim();
        await using var broker = new FakeBroker
        {
            Produce = (_, _) =>
            {
                if (silent)
                {
                    // As long as the command waits: it ends before this does.
                    asked.Wait(TimeSpan.FromSeconds(50), Cancellation);
                }

                return null;
            },
        };
        List<string> said = [];

        CommandFailedException failed = await EndedAsync(broker, said, new MemoryStream("one"u8.ToArray()));
        asked.Set();

        Assert.Equal(ExitCodes.Unreachable, failed.ExitCode);
        Assert.Matches(
            $@"^t/0 has acknowledged nothing for 1 s: {(silent ? "no answer yet" : ".*closed the connection")}\. "
            + @"0 records are acknowledged, 1 that was read is not \(1 of them may be stored all the same\)\.$",
            failed.Message);
        Assert.NotEmpty(said);
    }

    /// <summary>Red before: a line waited for 999 more, or for the end.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Lines_are_sent_when_no_more_come_for_a_moment()
    {
        await using var broker = new FakeBroker();
        var input = new Pipe();
        Task<(int Code, string Output, string Error)> running = RunAsync(broker, input.Reader.AsStream());
        await input.Writer.WriteAsync("one\ntw"u8.ToArray(), Cancellation);
        await Eventually.HoldsAsync(() => broker.Sends.Count == 1, () => $"{broker.Sends.Count} sends", deadlineMs: 30_000);
        Assert.False(running.IsCompleted);

        await input.Writer.WriteAsync("o\n"u8.ToArray(), Cancellation);
        await Eventually.HoldsAsync(() => broker.Sends.Count == 2, () => $"{broker.Sends.Count} sends", deadlineMs: 30_000);
        await input.Writer.CompleteAsync();

        Assert.Equal((ExitCodes.Done, "2 records acknowledged\n", ""), await running);
        Assert.Equal(["one", "two"], Records(broker).Select(record => Encoding.UTF8.GetString(record.Value)));
    }

    /// <summary>Red before: the moment began anew with each line.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Lines_that_come_slowly_and_steadily_are_sent_too()
    {
        await using var broker = new FakeBroker();
        await using KafkaCluster cluster = CommonOptions.Cluster(broker.Bootstrap);
        var linger = TimeSpan.FromSeconds(0.6);
        var writer = new RecordWriter(cluster, "t", _ => Task.CompletedTask) { LingerTime = linger };
        await writer.OpenAsync(Cancellation);
        var input = new Pipe();
        Task writing = WriteAsync(writer, input.Reader.AsStream());

        int lines = 0;
        for (; lines < 20 && broker.Sends.IsEmpty; lines++)
        {
            await input.Writer.WriteAsync("x\n"u8.ToArray(), Cancellation);
            await Task.Delay(linger / 3, Cancellation);
        }

        Assert.InRange(lines, 1, 19);
        await input.Writer.CompleteAsync();
        await writing;
        Assert.Equal(lines, Records(broker).Length);
    }

    /// <summary>Red before: the whole time was waited on one connection, and without an end where it took no more bytes.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData(true, 10)]
    [InlineData(false, 16 << 20)]
    public async Task A_leader_that_stands_still_is_left_for_the_next_one(bool reads, int bytes)
    {
        await using var still = new StillBroker(reads);
        await using var broker = new FakeBroker { Others = [still.Endpoint], Leader = n => n < 2 ? 1 : 0 };
        await using KafkaCluster cluster = CommonOptions.Cluster(
            broker.Bootstrap, CommonOptions.Connections with { RequestTimeout = TimeSpan.FromSeconds(2) });
        var writer = new RecordWriter(cluster, "t", _ => Task.CompletedTask) { TimeLimit = TimeSpan.FromSeconds(45) };
        await writer.OpenAsync(Cancellation);

        await WriteAsync(writer, new MemoryStream(new byte[bytes]));

        Assert.Equal(1, writer.RecordsAcknowledged);
        Assert.Equal(0, Assert.Single(broker.Stored).Sequence);
        Assert.InRange(still.Requests, 1, 2);
    }

    /// <summary>Red before: the wait for the bytes to be written had no end.</summary>
    [Fact(Timeout = 60_000)]
    public async Task A_leader_that_takes_no_bytes_is_not_waited_for_without_an_end()
    {
        await using var still = new StillBroker(reads: false);
        await using var broker = new FakeBroker { Others = [still.Endpoint], Leader = _ => 1 };

        CommandFailedException failed = await EndedAsync(broker, [], new MemoryStream(new byte[16 << 20]));

        Assert.Equal(ExitCodes.Unreachable, failed.ExitCode);
        Assert.StartsWith(
            "t/0 has acknowledged nothing for 1 s: no answer yet. 0 records are acknowledged, 1 ", failed.Message, StringComparison.Ordinal);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(ApiKey.Metadata)]
    [InlineData(ApiKey.InitProducerId)]
    public async Task A_connection_that_breaks_while_it_opens_is_waited_for(ApiKey request)
    {
        await using var broker = new FakeBroker { Breaks = (key, n) => key == request && n < 2 };
        Assert.Equal((ExitCodes.Done, "1 record acknowledged\n", ""), await RunAsync(broker, "x"u8.ToArray()));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_was_stored_and_not_acknowledged_is_sent_again_with_its_sequence()
    {
        await using var broker = new FakeBroker { LosesAnswer = n => n == 0 };

        Assert.Equal((ExitCodes.Done, "2 records acknowledged\n", ""), await RunAsync(broker, "one\ntwo\n"u8.ToArray()));

        Assert.Equal([0, 0], broker.Sends.Select(sent => sent.Sequence));
        Assert.Equal(2, Assert.Single(broker.Stored).Records.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task Sequences_go_on_behind_a_batch_that_was_split()
    {
        await using var broker = new FakeBroker
        {
            Produce = (_, sent) => new ProduceResponse.Partition { Error = sent.Records.Count > 2 ? KafkaError.MessageTooLarge : KafkaError.None },
        };
        var input = new Pipe();
        await input.Writer.WriteAsync("a\nb\nc\n"u8.ToArray(), Cancellation);
        Task<(int Code, string Output, string Error)> running = RunAsync(broker, input.Reader.AsStream());
        await Eventually.HoldsAsync(() => broker.Stored.Count == 3, () => $"{broker.Stored.Count} stored", deadlineMs: 30_000);
        await input.Writer.WriteAsync("d\n"u8.ToArray(), Cancellation);
        await input.Writer.CompleteAsync();

        Assert.Equal((ExitCodes.Done, "4 records acknowledged\n", ""), await running);
        Assert.Equal([0, 1, 2, 3], broker.Stored.Select(sent => sent.Sequence));
    }

    /// <summary>Red before: it was split, and said of lines that are stored that they are not.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData("one\ntwo\n", "Line 1, or another one of its batch of 2, was refused by t/0: ", "all of them")]
    [InlineData("one\n", "Line 1 was refused by t/0: ", "it")]
    public async Task What_is_refused_after_a_lost_answer_may_be_stored(string input, string begin, string which)
    {
        await using var broker = new FakeBroker
        {
            LosesAnswer = n => n == 0,
            Produce = (n, _) => new ProduceResponse.Partition { Error = n == 0 ? KafkaError.None : KafkaError.InvalidTimestamp },
        };

        (int code, _, string error) = await RunAsync(broker, Encoding.UTF8.GetBytes(input));

        Assert.Equal(
            (ExitCodes.Failed, $"{begin}INVALID_TIMESTAMP; a try before that ended without an answer, so {which} may be stored all the same. "
                + "Nothing was before it; it and what follows are not.\n"), (code, error));
        Assert.Equal(2, broker.Sends.Count);
    }

    /// <summary>Red before: only that t/1 acknowledges nothing.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData(true, "Line 2 was refused by t/0: INVALID_TIMESTAMP. ")]
    [InlineData(false, "Line 2 has no key: ':' is not in it. ")]
    public async Task What_ends_it_is_told_also_where_the_line_before_is_not_acknowledged_in_time(bool key, string begin)
    {
        await using var broker = new FakeBroker
        {
            Partitions = 2,
            Produce = (_, sent) => new ProduceResponse.Partition
            {
                Error = sent.Partition == 0 ? KafkaError.InvalidTimestamp : KafkaError.NotEnoughReplicas,
            },
        };
        await using KafkaCluster cluster = CommonOptions.Cluster(broker.Bootstrap);
        var writer = new RecordWriter(cluster, "t", _ => Task.CompletedTask)
        {
            TimeLimit = TimeSpan.FromSeconds(1),
            LingerTime = TimeSpan.FromMinutes(1),
        };
        await writer.OpenAsync(Cancellation);

        byte[] input = Encoding.UTF8.GetBytes($"{KeyTo(1)}:one\n{(key ? KeyTo(0) + ":" : "")}two");
        CommandFailedException failed = await Assert.ThrowsAsync<CommandFailedException>(() => writer.WriteLinesAsync(
            new MemoryStream(input), partition: null, ":", keysOptional: false, Cancellation));

        Assert.Equal(ExitCodes.Unreachable, failed.ExitCode);
        Assert.StartsWith(
            begin + "What was before it was still to be acknowledged: t/1 has acknowledged nothing for 1 s: ", failed.Message, StringComparison.Ordinal);

        static string KeyTo(int partition) => Enumerable.Range(0, 100)
            .Select(n => $"k{n}")
            .First(candidate => KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(candidate), 2) == partition);
    }

    [Fact]
    public async Task An_empty_separator_is_a_wrong_command_line()
    {
        await using var broker = new FakeBroker();
        Assert.Equal(
            (ExitCodes.Usage, "", "--key-separator is empty; see raftmq produce --help.\n"), await RunAsync(broker, "x"u8.ToArray(), "--key-separator", ""));
        Assert.Empty(broker.Sends);
    }

    private static (byte[]? Key, byte[] Value)[] Records(FakeBroker broker) => [.. broker.Sends.SelectMany(sent => sent.Records)];

    private static Task WriteAsync(RecordWriter writer, Stream input) =>
        writer.WriteLinesAsync(input, partition: null, keySeparator: null, keysOptional: false, Cancellation);

    /// <summary>Runs it with short times to its failure.</summary>
    private static async Task<CommandFailedException> EndedAsync(FakeBroker broker, List<string> said, Stream input)
    {
        await using KafkaCluster cluster = CommonOptions.Cluster(broker.Bootstrap);
        var writer = new RecordWriter(cluster, "t", sentence =>
        {
            said.Add(sentence);
            return Task.CompletedTask;
        })
        { NoticeTime = TimeSpan.FromSeconds(0.05), TimeLimit = TimeSpan.FromSeconds(1) };
        await writer.OpenAsync(Cancellation);
        return await Assert.ThrowsAsync<CommandFailedException>(
            () => writer.WriteLinesAsync(input, partition: null, keySeparator: null, keysOptional: false, Cancellation));
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(FakeBroker broker, byte[] input, params string[] options) =>
        RunAsync(broker, new MemoryStream(input), options);

    private static async Task<(int Code, string Output, string Error)> RunAsync(FakeBroker broker, Stream input, params string[] options)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var streams = new StandardStreams(() => input, () => Stream.Null);
        int code = await CommandTree.RunAsync(["produce", "t", "--bootstrap", broker.Bootstrap, .. options], output, error, streams);
        return (code, output.ToString(), error.ToString());
    }
}
