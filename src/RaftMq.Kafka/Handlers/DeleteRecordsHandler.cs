using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>DeleteRecords: raises partitions' log start. The answer comes when that is durable.</summary>
internal sealed class DeleteRecordsHandler(KafkaNode node) : AnsweringHandler<DeleteRecordsRequest, DeleteRecordsResponse>
{
    protected override async ValueTask<DeleteRecordsResponse> AnswerAsync(
        DeleteRecordsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        long deadlineMs = node.AdminDeadlineMs(message.TimeoutMs);
        var topics = new DeleteRecordsResponse.Topic[message.Topics.Length];
        for (int t = 0; t < topics.Length; t++)
        {
            DeleteRecordsRequest.Topic topic = message.Topics[t];
            topics[t] = new DeleteRecordsResponse.Topic
            {
                Name = topic.Name,
                Partitions = await InTurn.RunAsync(
                    topic.Partitions,
                    node.Limits.AdminCommandsAtOnceMax,
                    partition => DeleteAsync(topic.Name, partition, deadlineMs, cancellation)),
            };
        }

        return new DeleteRecordsResponse { Topics = topics };
    }

    private async Task<DeleteRecordsResponse.Partition> DeleteAsync(
        string topic, DeleteRecordsRequest.Partition partition, long deadlineMs, CancellationToken cancellation)
    {
        if (InternalTopics.IsReserved(node.Broker.Cluster, topic))
        {
            return new DeleteRecordsResponse.Partition
            {
                Index = partition.Index,
                LowWatermark = -1,
                Error = KafkaError.InvalidTopic,
            };
        }

        AdminResult result = await AdminCall.RunAsync(
            node.Broker, new AdminCommand.DeleteRecords(topic, partition.Index, partition.Offset), deadlineMs, cancellation);
        return new DeleteRecordsResponse.Partition
        {
            Index = partition.Index,
            LowWatermark = result.Outcome == AdminOutcome.Done ? result.Number : -1,
            Error = ErrorMap.Of(result.Outcome),
        };
    }
}
