using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Partitions;

/// <summary>The largest batch: the topic's own limit, or the node's where the topic says none.</summary>
public sealed class BatchSizeTests
{
    private readonly WholeCluster _cluster = WholeCluster.Started(
        1, new BrokerOptions { OffsetsPartitions = 1, Limits = new BrokerLimits { RecordBatchBytesMax = 300 } });

    [Fact]
    public void Node_decides_where_the_topic_says_nothing()
    {
        GroupId group = _cluster.CreateTopic("plain").Partitions[0].Group;

        Assert.Equal(ProduceOutcome.Stored, Produce(group, Sized(300)).Outcome);
        ProduceResult refused = Produce(group, Sized(301));
        Assert.Equal(ProduceOutcome.TooLarge, refused.Outcome);
        Assert.Equal("The batch takes 301 bytes, limits.record.batch.bytes of the leader is 300.", refused.Message);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    public void Topic_decides_where_it_says_something(int bytesMax)
    {
        GroupId group = _cluster.CreateTopic("own", configs: (TopicConfigs.MaxMessageBytes, bytesMax.ToString())).Partitions[0].Group;

        Assert.Equal(ProduceOutcome.Stored, Produce(group, Sized(bytesMax)).Outcome);
        ProduceResult refused = Produce(group, Sized(bytesMax + 1));
        Assert.Equal(ProduceOutcome.TooLarge, refused.Outcome);
        Assert.Contains($"max.message.bytes of own is {bytesMax}", refused.Message);
    }

    private static byte[] Sized(int bytes)
    {
        int overhead = Batches.Plain(valueBytes: 150).Length - 150;
        byte[] batch = Batches.Plain(valueBytes: bytes - overhead);
        Assert.Equal(bytes, batch.Length);
        return batch;
    }

    private ProduceResult Produce(GroupId group, byte[] batch)
    {
        ProduceAnswer answer = _cluster.Produce(_cluster[1], group, batch);
        _cluster.Settle();
        return answer.Result!.Value;
    }
}
