using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>OffsetForLeaderEpoch: where an epoch ended, by which a consumer finds out that its position was cut off (KIP-320).</summary>
internal sealed class OffsetForLeaderEpochHandler(KafkaNode node)
    : AnsweringHandler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>
{
    protected override async ValueTask<OffsetForLeaderEpochResponse> AnswerAsync(
        OffsetForLeaderEpochRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        ClusterImage cluster = node.Broker.Cluster;
        var asked = new List<(OffsetForLeaderEpochResponse.Partition Answer, Task<EpochEndResult> Finding)>();
        var topics = new OffsetForLeaderEpochResponse.Topic[message.Topics.Length];
        for (int t = 0; t < topics.Length; t++)
        {
            OffsetForLeaderEpochRequest.Topic topic = message.Topics[t];
            var partitions = new OffsetForLeaderEpochResponse.Partition[topic.Partitions.Length];
            for (int p = 0; p < partitions.Length; p++)
            {
                OffsetForLeaderEpochRequest.Partition partition = topic.Partitions[p];
                var answer = new OffsetForLeaderEpochResponse.Partition { Index = partition.Index };
                partitions[p] = answer;
                if (cluster.Partition(topic.Name, partition.Index) is { } info)
                {
                    asked.Add((answer, FindAsync(info, partition, cancellation)));
                }
                else
                {
                    answer.Error = KafkaError.UnknownTopicOrPartition;
                }
            }

            topics[t] = new OffsetForLeaderEpochResponse.Topic { Name = topic.Name, Partitions = partitions };
        }

        foreach ((OffsetForLeaderEpochResponse.Partition answer, Task<EpochEndResult> finding) in asked)
        {
            EpochEndResult found = await finding;
            answer.Error = ErrorMap.Of(found.Outcome);
            if (found.Outcome == ReadOutcome.Ok)
            {
                answer.LeaderEpoch = found.Epoch;
                answer.EndOffset = found.EndOffset;
            }
        }

        return new OffsetForLeaderEpochResponse { Topics = topics };
    }

    private Task<EpochEndResult> FindAsync(
        PartitionInfo info, OffsetForLeaderEpochRequest.Partition partition, CancellationToken cancellation)
    {
        var answer = new Answer<EpochEndResult>();
        node.Broker.FindEpochEnd(info.Group, partition.LeaderEpoch, partition.CurrentLeaderEpoch, answer.Complete);
        return answer.WaitAsync(cancellation);
    }
}
