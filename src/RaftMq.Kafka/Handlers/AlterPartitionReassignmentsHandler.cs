using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// AlterPartitionReassignments: begins movements of replicas, or lets those under way go back. Answered when the cluster has written the
/// wish down; the movement itself takes its time. The broker's own topics may move like all others.
/// </summary>
internal sealed class AlterPartitionReassignmentsHandler(KafkaNode node)
    : AnsweringHandler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>
{
    protected override async ValueTask<AlterPartitionReassignmentsResponse> AnswerAsync(
        AlterPartitionReassignmentsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        long deadlineMs = node.AdminDeadlineMs(message.TimeoutMs);
        (string Topic, AlterPartitionReassignmentsRequest.Partition Partition)[] all =
            [.. message.Topics.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition)))];
        (string Topic, AlterPartitionReassignmentsResponse.Partition Result)[] done = await InTurn.RunAsync(
            all, node.Limits.AdminCommandsAtOnceMax, async one => (one.Topic, await MoveAsync(one.Topic, one.Partition, deadlineMs, cancellation)));
        return new AlterPartitionReassignmentsResponse
        {
            Responses =
            [
                .. done.GroupBy(one => one.Topic, StringComparer.Ordinal).Select(topic => new AlterPartitionReassignmentsResponse.Topic
                {
                    Name = topic.Key,
                    Partitions = [.. topic.Select(one => one.Result)],
                }),
            ],
        };
    }

    private async Task<AlterPartitionReassignmentsResponse.Partition> MoveAsync(
        string topic, AlterPartitionReassignmentsRequest.Partition partition, long deadlineMs, CancellationToken cancellation)
    {
        ImmutableArray<NodeId>? to = partition.Replicas is { } nodes ? [.. nodes.Select(id => new NodeId(id))] : null;
        AdminResult result = await AdminCall.RunAsync(
            node.Broker, new AdminCommand.Reassign(topic, partition.Index, to), deadlineMs, cancellation);
        return new AlterPartitionReassignmentsResponse.Partition
        {
            Index = partition.Index,
            Error = ErrorMap.Of(result.Outcome),
            ErrorMessage = result.Message,
        };
    }
}
