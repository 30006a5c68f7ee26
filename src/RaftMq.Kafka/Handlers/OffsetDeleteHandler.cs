using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using GroupDelete = RaftMq.Broker.Groups.OffsetDeleteRequest;
using OffsetDeleteRequest = RaftMq.Kafka.Wire.Messages.OffsetDeleteRequest;

namespace RaftMq.Kafka.Handlers;

/// <summary>OffsetDelete: a group forgets offsets of topics that it does not subscribe to.</summary>
internal sealed class OffsetDeleteHandler(KafkaNode node) : AnsweringHandler<OffsetDeleteRequest, OffsetDeleteResponse>
{
    protected override async ValueTask<OffsetDeleteResponse> AnswerAsync(
        OffsetDeleteRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        var keys = new List<OffsetKey>();
        foreach (OffsetDeleteRequest.Topic topic in message.Topics)
        {
            foreach (OffsetDeleteRequest.Partition partition in topic.Partitions)
            {
                keys.Add(new OffsetKey(topic.Name, partition.Index));
            }
        }

        var delete = new GroupDelete { Group = new ConsumerGroupId(message.GroupId), Offsets = [.. keys] };
        OffsetDeleteResult? result = await GroupCall<OffsetDeleteResult>.AskAsync(
            node.Broker, message.GroupId, (coordinator, reply, nowMs) => coordinator.DeleteOffsets(delete, nowMs, reply), cancellation);
        return result switch
        {
            null => new OffsetDeleteResponse { Error = KafkaError.NotCoordinator },
            OffsetDeleteResult.Deleted deleted => new OffsetDeleteResponse { Topics = Topics(message.Topics, deleted) },
            OffsetDeleteResult.Refused refused => new OffsetDeleteResponse { Error = ErrorMap.Of(refused.Reason) },
            _ => throw ErrorMap.Unmapped(result),
        };
    }

    private static OffsetDeleteResponse.Topic[] Topics(OffsetDeleteRequest.Topic[] asked, OffsetDeleteResult.Deleted deleted)
    {
        int next = 0;
        return Array.ConvertAll(asked, topic => new OffsetDeleteResponse.Topic
        {
            Name = topic.Name,
            Partitions = Array.ConvertAll(topic.Partitions, partition => new OffsetDeleteResponse.Partition
            {
                Index = partition.Index,
                Error = ErrorMap.Of(deleted.Offsets[next++]),
            }),
        });
    }
}
