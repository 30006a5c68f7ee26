using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>DeleteTopics, by name or (from version 6 on) by id.</summary>
internal sealed class DeleteTopicsHandler(KafkaNode node) : AnsweringHandler<DeleteTopicsRequest, DeleteTopicsResponse>
{
    private const short FirstVersionWithIds = 6;

    protected override async ValueTask<DeleteTopicsResponse> AnswerAsync(
        DeleteTopicsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        long deadlineMs = node.AdminDeadlineMs(message.TimeoutMs);
        DeleteTopicsRequest.Topic[] topics = request.Version >= FirstVersionWithIds
            ? message.Topics
            : Array.ConvertAll(message.TopicNames, name => new DeleteTopicsRequest.Topic { Name = name });
        return new DeleteTopicsResponse
        {
            Responses = await InTurn.RunAsync(
                topics, node.Limits.AdminCommandsAtOnceMax, topic => DeleteAsync(topic, deadlineMs, cancellation)),
        };
    }

    private static DeleteTopicsResponse.Response Result(string? name, Guid id, KafkaError error, string? message) =>
        new() { Name = name, TopicId = id, Error = error, ErrorMessage = message };

    private async Task<DeleteTopicsResponse.Response> DeleteAsync(
        DeleteTopicsRequest.Topic topic, long deadlineMs, CancellationToken cancellation)
    {
        bool byId = topic.Name is null;
        if (!byId && topic.TopicId != Guid.Empty)
        {
            return Result(topic.Name, topic.TopicId, KafkaError.InvalidRequest, "a topic is named by its name or by its id, not by both");
        }

        UInt128 id = WireIds.ToTopicId(topic.TopicId);
        ClusterImage cluster = node.Broker.Cluster;
        TopicInfo? info = byId
            ? cluster.Topics.Values.FirstOrDefault(known => known.Id == id)
            : cluster.Topics.GetValueOrDefault(topic.Name!);
        string? name = topic.Name ?? info?.Name;
        if (name is not null && InternalTopics.IsReserved(cluster, name))
        {
            return Result(name, topic.TopicId, KafkaError.InvalidTopic, InternalTopics.Reserved);
        }

        AdminResult result = await AdminCall.RunAsync(
            node.Broker, new AdminCommand.DeleteTopic(topic.Name ?? "", id), deadlineMs, cancellation);
        KafkaError error = byId && result.Outcome == AdminOutcome.UnknownTopic
            ? KafkaError.UnknownTopicId
            : ErrorMap.Of(result.Outcome);
        return Result(name, info is null ? topic.TopicId : WireIds.ToGuid(info.Id), error, result.Message);
    }
}
