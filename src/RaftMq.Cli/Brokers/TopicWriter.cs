using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Brokers;

/// <summary>Creates and deletes topics, over Kafka's protocol.</summary>
internal sealed class TopicWriter(KafkaCluster cluster)
{
    private const int TimeoutMs = 15_000;

    /// <param name="name">Name of the topic.</param>
    /// <param name="partitions">-1: the cluster's default.</param>
    /// <param name="replicas">-1: the cluster's default.</param>
    /// <param name="configs">Settings that differ from the defaults.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>False if there is one of that name.</returns>
    public async Task<bool> CreateAsync(
        string name, int partitions, short replicas, IReadOnlyList<KeyValuePair<string, string>> configs, CancellationToken cancellation)
    {
        KafkaConnection controller = await cluster.GetControllerAsync(cancellation);
        var ask = new CreateTopicsRequest
        {
            TimeoutMs = TimeoutMs,
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
        using KafkaReply<CreateTopicsResponse> reply = await controller.SendAsync(ask, cancellation);
        CreateTopicsResponse.Topic answer = reply.Message.Topics.Single();
        if (answer.Error == KafkaError.TopicAlreadyExists)
        {
            return false;
        }

        TopicReader.ThrowIf(answer.Error, $"{name} was not created", answer.ErrorMessage);
        return true;
    }

    public async Task DeleteAsync(string name, CancellationToken cancellation)
    {
        KafkaConnection controller = await cluster.GetControllerAsync(cancellation);
        var ask = new DeleteTopicsRequest
        {
            TimeoutMs = TimeoutMs,
            TopicNames = [name],
            Topics = [new DeleteTopicsRequest.Topic { Name = name }],
        };
        using KafkaReply<DeleteTopicsResponse> reply = await controller.SendAsync(ask, cancellation);
        DeleteTopicsResponse.Response answer = reply.Message.Responses.Single();
        if (answer.Error == KafkaError.UnknownTopicOrPartition)
        {
            throw new CommandFailedException(ExitCodes.NotFound, $"There is no topic {name}.");
        }

        TopicReader.ThrowIf(answer.Error, $"{name} was not deleted", answer.ErrorMessage);
    }
}
