using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Handlers;

/// <summary>CreatePartitions: a topic grows to a total number of partitions.</summary>
internal sealed class CreatePartitionsHandler(KafkaNode node) : AnsweringHandler<CreatePartitionsRequest, CreatePartitionsResponse>
{
    protected override async ValueTask<CreatePartitionsResponse> AnswerAsync(
        CreatePartitionsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        long deadlineMs = node.AdminDeadlineMs(message.TimeoutMs);
        return new CreatePartitionsResponse
        {
            Results = await InTurn.RunAsync(
                message.Topics,
                node.Limits.AdminCommandsAtOnceMax,
                topic => AddAsync(topic, message.ValidateOnly, deadlineMs, cancellation)),
        };
    }

    private async Task<CreatePartitionsResponse.Result> AddAsync(
        CreatePartitionsRequest.Topic topic, bool validateOnly, long deadlineMs, CancellationToken cancellation)
    {
        if (InternalTopics.IsReserved(node.Broker.Cluster, topic.Name))
        {
            return new CreatePartitionsResponse.Result
            {
                Name = topic.Name,
                Error = KafkaError.InvalidTopic,
                ErrorMessage = InternalTopics.Reserved,
            };
        }

        ImmutableArray<ImmutableArray<NodeId>> assignments =
        [
            .. (topic.Assignments ?? []).Select(assignment =>
                assignment.BrokerIds.Select(id => new NodeId(id)).ToImmutableArray()),
        ];
        AdminResult result = await AdminCall.RunAsync(
            node.Broker, new AdminCommand.AddPartitions(topic.Name, topic.Count, assignments, validateOnly), deadlineMs, cancellation);
        return new CreatePartitionsResponse.Result
        {
            Name = topic.Name,
            Error = ErrorMap.Of(result.Outcome),
            ErrorMessage = result.Message,
        };
    }
}
