using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// ElectLeaders: hands leadership to the preferred replica, and answers when it leads. An unclean election is refused: a replica that lacks
/// acknowledged records never leads.
/// </summary>
internal sealed class ElectLeadersHandler(KafkaNode node) : AnsweringHandler<ElectLeadersRequest, ElectLeadersResponse>
{
    private const sbyte Preferred = 0;

    protected override async ValueTask<ElectLeadersResponse> AnswerAsync(
        ElectLeadersRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        long deadlineMs = node.AdminDeadlineMs(message.TimeoutMs);
        bool asksForAll = message.TopicPartitions is null;
        (string Topic, int Partition)[] all = message.TopicPartitions is { } topics
            ? [.. topics.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition)))]
            : [.. node.Broker.Cluster.Topics.Values.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.Number)))];
        (string Topic, ElectLeadersResponse.Partition Result)[] done = await InTurn.RunAsync(
            all, node.Limits.AdminCommandsAtOnceMax,
            async one => (one.Topic, await ElectAsync(message.ElectionType, one.Topic, one.Partition, deadlineMs, cancellation)));
        return new ElectLeadersResponse
        {
            // Who asks for all wants to hear of those that changed or could not.
            ReplicaElectionResults =
            [
                .. done.Where(one => !asksForAll || one.Result.Error != KafkaError.ElectionNotNeeded)
                    .GroupBy(one => one.Topic, StringComparer.Ordinal).Select(topic => new ElectLeadersResponse.Topic
                    {
                        Name = topic.Key,
                        PartitionResult = [.. topic.Select(one => one.Result)],
                    }),
            ],
        };
    }

    private async Task<ElectLeadersResponse.Partition> ElectAsync(
        sbyte type, string topic, int number, long deadlineMs, CancellationToken cancellation)
    {
        if (type != Preferred)
        {
            return Answer(
                number, KafkaError.PolicyViolation,
                "Unclean elections are not done: a replica that lacks acknowledged records never leads.");
        }

        ClusterImage cluster = node.Broker.Cluster;
        if (cluster.Partition(topic, number) is not { } partition)
        {
            return Answer(number, KafkaError.UnknownTopicOrPartition, $"There is no {topic}/{number}.");
        }

        NodeId preferred = partition.Replicas[0].Node;
        if (cluster.LeaderOf(partition.Group)?.Leader == preferred)
        {
            return Answer(number, KafkaError.ElectionNotNeeded, $"Node {preferred.Value}, the preferred one, leads already.");
        }

        AdminResult result = await AdminCall.RunAsync(
            node.Broker, new AdminCommand.TransferLeadership(topic, number, preferred), deadlineMs, cancellation);
        return Answer(
            number,
            result.Outcome == AdminOutcome.Refused ? KafkaError.PreferredLeaderNotAvailable : ErrorMap.Of(result.Outcome),
            result.Message);
    }

    private static ElectLeadersResponse.Partition Answer(int number, KafkaError error, string? message) => new()
    {
        Index = number,
        Error = error,
        ErrorMessage = message,
    };
}
