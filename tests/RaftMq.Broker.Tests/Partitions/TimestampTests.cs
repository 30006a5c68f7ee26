using RaftMq.Broker.Partitions;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Records;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Partitions;

/// <summary>Whose time records get (message.timestamp.type), and how far from the broker's a producer's may be.</summary>
public sealed class TimestampTests
{
    private const long FarOffMs = 3_600_000;

    private readonly WholeCluster _cluster = WholeCluster.Started(1);

    private ClusterNode Node => _cluster[1];

    private long NowMs => ((Environment.IClock)Node).UnixMs;

    [Fact]
    public void Producers_times_are_kept_unless_the_topic_says_otherwise()
    {
        GroupId group = Topic();

        ProduceResult result = Produce(group, Batches.Plain(records: 3, timestampMs: 12_345));

        Assert.Equal((ProduceOutcome.Stored, -1L), (result.Outcome, result.LogAppendTimeMs));
        RecordBatchHeader stored = Only(group);
        Assert.Equal((TimestampType.CreateTime, 12_345L, 12_347L), (stored.TimestampType, stored.BaseTimestampMs, stored.MaxTimestampMs));
    }

    [Fact]
    public void LogAppendTime_gives_records_the_brokers_time_and_says_it_to_the_producer()
    {
        GroupId group = Topic(("message.timestamp.type", "LogAppendTime"));

        ProduceResult result = Produce(group, Batches.Plain(records: 3, timestampMs: 12_345));

        Assert.Equal((ProduceOutcome.Stored, NowMs), (result.Outcome, result.LogAppendTimeMs));
        RecordBatchHeader stored = Only(group);
        Assert.Equal((TimestampType.LogAppendTime, NowMs), (stored.TimestampType, stored.MaxTimestampMs));
    }

    /// <summary>A lost answer must not give a record a second time.</summary>
    [Fact]
    public void Duplicate_is_told_the_time_at_which_the_first_one_was_appended()
    {
        GroupId group = Topic(("message.timestamp.type", "LogAppendTime"));
        byte[] batch = Batches.Idempotent(producer: 7, sequence: 0);
        ProduceResult first = Produce(group, batch);
        _cluster.Pass(500);

        ProduceResult second = Produce(group, batch);

        Assert.Equal((first.BaseOffset, first.LogAppendTimeMs), (second.BaseOffset, second.LogAppendTimeMs));
        Assert.Equal(NowMs - 500, second.LogAppendTimeMs);
    }

    [Theory]
    [InlineData("message.timestamp.before.max.ms", -1)]
    [InlineData("message.timestamp.after.max.ms", 1)]
    public void Times_too_far_from_the_brokers_are_refused(string setting, int direction)
    {
        const long allowedMs = 60_000;
        GroupId group = Topic((setting, allowedMs.ToString()));

        ProduceResult refused = Produce(group, Batches.Plain(timestampMs: NowMs + (direction * (allowedMs + 1))));
        Assert.Equal(ProduceOutcome.InvalidTimestamp, refused.Outcome);
        Assert.Contains("message.timestamp", refused.Message);

        // At the limit it is taken, and so is any distance on the other side, which is not limited.
        Assert.Equal(ProduceOutcome.Stored, Produce(group, Batches.Plain(timestampMs: NowMs + (direction * allowedMs))).Outcome);
        Assert.Equal(ProduceOutcome.Stored, Produce(group, Batches.Plain(timestampMs: NowMs - (direction * FarOffMs))).Outcome);
    }

    /// <summary>The newest record of a batch counts for what is too late, the oldest for what is too early.</summary>
    [Fact]
    public void One_record_too_far_off_refuses_its_batch()
    {
        GroupId group = Topic(("message.timestamp.before.max.ms", "1000"), ("message.timestamp.after.max.ms", "1000"));
        Assert.Equal(ProduceOutcome.Stored, Produce(group, Batches.Plain(records: 2, timestampMs: NowMs + 999)).Outcome);
        Assert.Equal(ProduceOutcome.InvalidTimestamp, Produce(group, Batches.Plain(records: 3, timestampMs: NowMs + 999)).Outcome);
        Assert.Equal(ProduceOutcome.Stored, Produce(group, Batches.Plain(records: 3, timestampMs: NowMs - 1000)).Outcome);
        Assert.Equal(ProduceOutcome.InvalidTimestamp, Produce(group, Batches.Plain(records: 3, timestampMs: NowMs - 1001)).Outcome);
    }

    [Fact]
    public void Times_are_not_judged_where_the_broker_gives_its_own()
    {
        GroupId group = Topic(
            ("message.timestamp.type", "LogAppendTime"), ("message.timestamp.before.max.ms", "0"), ("message.timestamp.after.max.ms", "0"));

        Assert.Equal(ProduceOutcome.Stored, Produce(group, Batches.Plain(timestampMs: NowMs + FarOffMs)).Outcome);
        Assert.Equal(ProduceOutcome.Stored, Produce(group, Batches.Plain(timestampMs: NowMs - FarOffMs)).Outcome);
    }

    private GroupId Topic(params (string Name, string Value)[] configs) => _cluster.CreateTopic("t", configs: configs).Partitions[0].Group;

    private ProduceResult Produce(GroupId group, byte[] batch)
    {
        ProduceAnswer answer = _cluster.Produce(Node, group, batch);
        _cluster.Settle();
        return answer.Result!.Value;
    }

    private RecordBatchHeader Only(GroupId group)
    {
        ReadAnswer answer = ReadAnswer.To(Node, group, offset: 0);
        _cluster.Settle();
        Assert.True(RecordBatchHeader.TryRead(Assert.Single(answer.Result.Batches).Span, out RecordBatchHeader batch));
        return batch;
    }
}
