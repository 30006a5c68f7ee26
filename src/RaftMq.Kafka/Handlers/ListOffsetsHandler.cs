using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>ListOffsets: offsets by time, and the two ends of a partition.</summary>
internal sealed class ListOffsetsHandler(KafkaNode node) : AnsweringHandler<ListOffsetsRequest, ListOffsetsResponse>
{
    // What the protocol puts in the place of a timestamp.
    private const long Latest = -1;
    private const long Earliest = -2;
    private const long MaxTimestamp = -3;

    protected override async ValueTask<ListOffsetsResponse> AnswerAsync(
        ListOffsetsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        ClusterImage cluster = node.Broker.Cluster;
        var asked = new List<(ListOffsetsResponse.Partition Answer, Task<OffsetResult> Finding)>();
        var topics = new ListOffsetsResponse.Topic[message.Topics.Length];
        for (int t = 0; t < topics.Length; t++)
        {
            ListOffsetsRequest.Topic topic = message.Topics[t];
            var partitions = new ListOffsetsResponse.Partition[topic.Partitions.Length];
            for (int p = 0; p < partitions.Length; p++)
            {
                ListOffsetsRequest.Partition partition = topic.Partitions[p];
                var answer = new ListOffsetsResponse.Partition { Index = partition.Index };
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

            topics[t] = new ListOffsetsResponse.Topic { Name = topic.Name, Partitions = partitions };
        }

        foreach ((ListOffsetsResponse.Partition answer, Task<OffsetResult> finding) in asked)
        {
            Fill(answer, await finding);
        }

        return new ListOffsetsResponse { Topics = topics };
    }

    private static void Fill(ListOffsetsResponse.Partition answer, OffsetResult found)
    {
        answer.Error = ErrorMap.Of(found.Outcome);
        if (found.Outcome != ReadOutcome.Ok)
        {
            return;
        }

        answer.Offset = found.Offset;
        answer.Timestamp = found.TimestampMs;
        answer.LeaderEpoch = found.LeaderEpoch;

        // Version 0 has a list instead.
        answer.Offsets = found.Offset < 0 ? [] : [found.Offset];
    }

    private async Task<OffsetResult> FindAsync(
        PartitionInfo info, ListOffsetsRequest.Partition partition, CancellationToken cancellation)
    {
        OffsetQuery query = partition.Timestamp switch
        {
            Latest => OffsetQuery.Latest,
            Earliest => OffsetQuery.Earliest,
            MaxTimestamp => OffsetQuery.MaxTimestamp,
            _ => OffsetQuery.AtTimestamp,
        };
        var answer = new Answer<OffsetResult>();
        node.Broker.FindOffset(info.Group, query, partition.Timestamp, partition.CurrentLeaderEpoch, answer.Complete);
        OffsetResult found = await answer.WaitAsync(cancellation);
        if (found.Outcome != ReadOutcome.Ok || found.Offset < 0 || query is OffsetQuery.Latest or OffsetQuery.Earliest)
        {
            return found;
        }

        long timestampMs = query == OffsetQuery.MaxTimestamp ? found.TimestampMs : partition.Timestamp;
        return await RecordByTime.FindAsync(node.Broker, info.Group, found, timestampMs, cancellation);
    }
}
