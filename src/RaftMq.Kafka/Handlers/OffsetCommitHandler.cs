using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using GroupCommit = RaftMq.Broker.Groups.OffsetCommitRequest;
using OffsetCommitRequest = RaftMq.Kafka.Wire.Messages.OffsetCommitRequest;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// OffsetCommit. Answered when the offsets are durable on a majority. Offsets of partitions that do not exist are refused one by one; the
/// retention time that versions 2 to 4 name is ignored, as the cluster's own holds.
/// </summary>
internal sealed class OffsetCommitHandler(KafkaNode node) : AnsweringHandler<OffsetCommitRequest, OffsetCommitResponse>
{
    protected override async ValueTask<OffsetCommitResponse> AnswerAsync(
        OffsetCommitRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        ClusterImage cluster = node.Broker.Cluster;
        var offsets = new List<OffsetToCommit>();
        var answers = new List<OffsetCommitResponse.Partition>();
        var topics = new OffsetCommitResponse.Topic[message.Topics.Length];
        for (int t = 0; t < topics.Length; t++)
        {
            OffsetCommitRequest.Topic topic = message.Topics[t];
            cluster.Topics.TryGetValue(topic.Name, out TopicInfo? info);
            var partitions = new OffsetCommitResponse.Partition[topic.Partitions.Length];
            for (int p = 0; p < partitions.Length; p++)
            {
                OffsetCommitRequest.Partition partition = topic.Partitions[p];
                var answer = new OffsetCommitResponse.Partition { Index = partition.Index };
                partitions[p] = answer;
                if (info is null || (uint)partition.Index >= (uint)info.Partitions.Length)
                {
                    answer.Error = KafkaError.UnknownTopicOrPartition;
                    continue;
                }

                answers.Add(answer);
                offsets.Add(new OffsetToCommit(
                    topic.Name,
                    info.Id,
                    partition.Index,
                    partition.CommittedOffset,
                    partition.CommittedLeaderEpoch,
                    partition.Metadata ?? ""));
            }

            topics[t] = new OffsetCommitResponse.Topic { Name = topic.Name, Partitions = partitions };
        }

        await CommitAsync(message, [.. offsets], answers, cancellation);
        return new OffsetCommitResponse { Topics = topics };
    }

    private async ValueTask CommitAsync(
        OffsetCommitRequest message,
        OffsetToCommit[] offsets,
        List<OffsetCommitResponse.Partition> answers,
        CancellationToken cancellation)
    {
        var commit = new GroupCommit
        {
            Group = new ConsumerGroupId(message.GroupId),
            Generation = new Generation(message.GenerationId),
            Member = new MemberId(message.MemberId),
            Instance = GroupFields.Instance(message.GroupInstanceId),
            Offsets = offsets,
        };
        OffsetCommitResult? result = offsets.Length == 0
            ? new OffsetCommitResult.Committed([])
            : await GroupCall<OffsetCommitResult>.AskAsync(
                node.Broker,
                message.GroupId,
                (coordinator, reply, nowMs) => coordinator.CommitOffsets(commit, nowMs, reply),
                cancellation);
        for (int i = 0; i < answers.Count; i++)
        {
            answers[i].Error = result switch
            {
                null => KafkaError.NotCoordinator,
                OffsetCommitResult.Committed committed => ErrorMap.Of(committed.Offsets[i]),
                OffsetCommitResult.Refused refused => ErrorMap.Of(refused.Reason),
                _ => throw ErrorMap.Unmapped(result),
            };
        }
    }
}
