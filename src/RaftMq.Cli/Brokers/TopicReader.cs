using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Brokers;

/// <summary>What a cluster says of topics, over Kafka's protocol.</summary>
internal sealed class TopicReader(KafkaCluster cluster)
{
    /// <summary>For the offsets of <see cref="OffsetsAsync"/>: the first record kept.</summary>
    public const long Earliest = -2;

    /// <summary>For the offsets of <see cref="OffsetsAsync"/>: where the next record goes.</summary>
    public const long Latest = -1;

    private const int FirstVersionWithNullForAll = 1;

    /// <summary>Of DescribeConfigs: the resource type, and where a value comes from.</summary>
    private const sbyte TopicResource = 2;
    private const sbyte OfTheTopicItself = 1;
    private const int FirstVersionWithSource = 1;

    /// <param name="names">Null for all topics.</param>
    public async Task<IReadOnlyList<TopicDescription>> DescribeAsync(IReadOnlyList<string>? names, CancellationToken cancellation)
    {
        KafkaConnection connection = await cluster.GetAnyConnectionAsync(cancellation);
        var ask = new MetadataRequest
        {
            Topics = names is null && connection.NegotiatedVersion(MetadataRequest.Schema) >= FirstVersionWithNullForAll
                ? null
                : [.. (names ?? []).Select(name => new MetadataRequest.Topic { Name = name })],
            AllowAutoTopicCreation = false,
        };
        using KafkaReply<MetadataResponse> reply = await connection.SendAsync(ask, cancellation);
        List<TopicDescription> found = [];
        foreach (MetadataResponse.Topic topic in reply.Message.Topics)
        {
            if (topic.Error is KafkaError.UnknownTopicOrPartition or KafkaError.InvalidTopic)
            {
                throw new CommandFailedException(ExitCodes.NotFound, $"There is no topic {topic.Name}.");
            }

            ThrowIf(topic.Error, $"{topic.Name} can't be described");
            found.Add(new TopicDescription(
                topic.Name!, topic.IsInternal,
                [.. topic.Partitions.OrderBy(partition => partition.Index).Select(partition => new PartitionDescription(
                    partition.Index, partition.LeaderId < 0 ? null : partition.LeaderId, partition.ReplicaNodes, partition.IsrNodes))]));
        }

        return [.. found.OrderBy(topic => topic.Name, StringComparer.Ordinal)];
    }

    /// <summary>All settings of a topic, by name.</summary>
    public async Task<IReadOnlyList<TopicSetting>> SettingsAsync(string topic, CancellationToken cancellation)
    {
        KafkaConnection connection = await cluster.GetAnyConnectionAsync(cancellation);
        var ask = new DescribeConfigsRequest
        {
            Resources = [new DescribeConfigsRequest.Resource { ResourceType = TopicResource, ResourceName = topic, ConfigurationKeys = null }],
        };
        using KafkaReply<DescribeConfigsResponse> reply = await connection.SendAsync(ask, cancellation);
        DescribeConfigsResponse.Result answer = reply.Message.Results.Single();
        ThrowIf(answer.Error, $"the settings of {topic} can't be read", answer.ErrorMessage);
        return
        [
            .. answer.Configs
                .Select(setting => new TopicSetting(
                    setting.Name, setting.Value,
                    reply.Version >= FirstVersionWithSource ? setting.ConfigSource != OfTheTopicItself : setting.IsDefault))
                .OrderBy(setting => setting.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>By partition, of those that have a leader that answers.</summary>
    /// <param name="topic">Name of the topic.</param>
    /// <param name="partitions">Which partitions.</param>
    /// <param name="timestamp">Milliseconds since 1970, <see cref="Earliest"/> or <see cref="Latest"/>.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<IReadOnlyDictionary<int, long>> OffsetsAsync(
        string topic, IEnumerable<int> partitions, long timestamp, CancellationToken cancellation)
    {
        ClusterView view = await cluster.RefreshAsync([topic], cancellation);
        SortedDictionary<int, long> offsets = [];
        foreach (IGrouping<int, int> led in partitions
            .Select(partition => (partition, leader: view.TryFindLeader(topic, partition, out int node) ? node : -1))
            .Where(pair => pair.leader >= 0)
            .GroupBy(pair => pair.leader, pair => pair.partition))
        {
            KafkaConnection connection;
            try
            {
                connection = await cluster.GetConnectionAsync(led.Key, cancellation);
            }
            catch (KafkaConnectionException)
            {
                // The caller sees that these are missing.
                continue;
            }

            var ask = new ListOffsetsRequest
            {
                Topics =
                [
                    new ListOffsetsRequest.Topic
                    {
                        Name = topic,
                        Partitions = [.. led.Select(index => new ListOffsetsRequest.Partition { Index = index, Timestamp = timestamp })],
                    },
                ],
            };
            using KafkaReply<ListOffsetsResponse> reply = await connection.SendAsync(ask, cancellation);
            foreach (ListOffsetsResponse.Partition answer in reply.Message.Topics.SelectMany(answered => answered.Partitions))
            {
                if (answer.Error == KafkaError.None)
                {
                    offsets[answer.Index] = answer.Offset;
                }
            }
        }

        return offsets;
    }

    /// <summary>As <see cref="OffsetsAsync"/>, again until all partitions have answered.</summary>
    /// <exception cref="CommandFailedException">They do not within the time.</exception>
    public async Task<long[]> AllOffsetsAsync(string topic, int partitions, long timestamp, TimeSpan limit, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(limit);
        while (true)
        {
            try
            {
                IReadOnlyDictionary<int, long> offsets = await OffsetsAsync(topic, Enumerable.Range(0, partitions), timestamp, ending.Token);
                if (offsets.Count == partitions)
                {
                    return [.. offsets.Values];
                }

                await Task.Delay(50, ending.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new CommandFailedException(ExitCodes.Unreachable, $"Not every partition of {topic} has a leader that answers within {limit.TotalSeconds:0} s.");
            }
        }
    }

    public static void ThrowIf(KafkaError error, string what, string? message = null)
    {
        if (error != KafkaError.None)
        {
            string detail = string.IsNullOrEmpty(message) ? "" : $" ({message})";
            throw new CommandFailedException($"{what}: {KafkaErrors.Name(error)}{detail}");
        }
    }
}
