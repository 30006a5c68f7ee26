using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Brokers;

/// <summary>Creates and deletes topics, over Kafka's protocol.</summary>
internal sealed class TopicWriter(KafkaCluster cluster)
{
    /// <summary>For so long a change is tried while the controller changes.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(15);

    /// <param name="name">Name of the topic.</param>
    /// <param name="partitions">-1: the cluster's default.</param>
    /// <param name="replicas">-1: the cluster's default.</param>
    /// <param name="configs">Settings that differ from the defaults.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>False if there is one of that name.</returns>
    public async Task<bool> CreateAsync(
        string name, int partitions, short replicas, IReadOnlyList<KeyValuePair<string, string>> configs, CancellationToken cancellation)
    {
        var call = new ControllerCall(cluster, $"{name} was not created", Patience);
        (KafkaError error, string? message) = await call.RunAsync(async (controller, timeoutMs, ending) =>
        {
            var ask = new CreateTopicsRequest
            {
                TimeoutMs = timeoutMs,
                Topics =
                [
                    new CreateTopicsRequest.Topic
                    {
                        Name = name,
                        NumPartitions = partitions,
                        ReplicationFactor = replicas,
                        Configs = [.. configs.Select(config => new CreateTopicsRequest.Config { Name = config.Key, Value = config.Value })],
                    },
                ],
            };
            using KafkaReply<CreateTopicsResponse> reply = await controller.SendAsync(ask, ending);
            CreateTopicsResponse.Topic answer = reply.Message.Topics.Single();
            return (answer.Error, answer.ErrorMessage);
        }, cancellation);
        if (error == KafkaError.TopicAlreadyExists)
        {
            return call.MayBeDone
                ? throw new CommandFailedException($"There is a topic {name}; a try of this command, the answer to which was lost, may have made it.")
                : false;
        }

        if (error == KafkaError.InvalidTopic)
        {
            throw new CommandFailedException($"{name} was not created: {ErrorWords.OfName(name, message)}.");
        }

        TopicReader.ThrowIf(error, $"{name} was not created", message);
        return true;
    }

    public async Task DeleteAsync(string name, CancellationToken cancellation)
    {
        var call = new ControllerCall(cluster, $"{name} was not deleted", Patience);
        (KafkaError error, string? message) = await call.RunAsync(async (controller, timeoutMs, ending) =>
        {
            var ask = new DeleteTopicsRequest
            {
                TimeoutMs = timeoutMs,
                TopicNames = [name],
                Topics = [new DeleteTopicsRequest.Topic { Name = name }],
            };
            using KafkaReply<DeleteTopicsResponse> reply = await controller.SendAsync(ask, ending);
            DeleteTopicsResponse.Response answer = reply.Message.Responses.Single();
            return (answer.Error, answer.ErrorMessage);
        }, cancellation);
        if (error == KafkaError.UnknownTopicOrPartition)
        {
            throw new CommandFailedException(
                ExitCodes.NotFound,
                $"There is no topic {name}{(call.MayBeDone ? "; a try of this command, the answer to which was lost, may have deleted it" : "")}.");
        }

        TopicReader.ThrowIf(error, $"{name} was not deleted", message);
    }
}
