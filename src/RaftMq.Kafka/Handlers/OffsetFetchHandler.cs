using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using GroupFetch = RaftMq.Broker.Groups.OffsetFetchRequest;
using OffsetFetchRequest = RaftMq.Kafka.Wire.Messages.OffsetFetchRequest;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// OffsetFetch: one group up to version 7, several from 8 on. What was never committed, in a group known or not, is offset -1 without an
/// error. "Require stable" changes nothing, as there are no transactions whose offsets could be pending.
/// </summary>
internal sealed class OffsetFetchHandler(KafkaNode node) : AnsweringHandler<OffsetFetchRequest, OffsetFetchResponse>
{
    private const short FirstVersionWithTopError = 2;
    private const short FirstVersionWithGroups = 8;

    protected override async ValueTask<OffsetFetchResponse> AnswerAsync(
        OffsetFetchRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        if (request.Version < FirstVersionWithGroups)
        {
            OffsetToFetch[]? asked = Asked(
                message.Topics, topic => topic.Name, topic => topic.Partitions, node.Broker.Cluster);
            (KafkaError error, FetchedOffset[] offsets) = await FetchAsync(message.GroupId, asked, cancellation);
            return new OffsetFetchResponse
            {
                Error = error,
                Topics = ByTopic(
                    error != KafkaError.None && request.Version < FirstVersionWithTopError ? NotFetched(asked) : offsets,
                    offset => Partition(offset, error),
                    (name, partitions) => new OffsetFetchResponse.Topic { Name = name, Partitions = partitions }),
            };
        }

        var fetching = new Task<OffsetFetchResponse.Group>[message.Groups.Length];
        for (int i = 0; i < fetching.Length; i++)
        {
            fetching[i] = GroupAsync(message.Groups[i], cancellation);
        }

        return new OffsetFetchResponse { Groups = await Task.WhenAll(fetching) };
    }

    private static OffsetToFetch[]? Asked<TTopic>(
        TTopic[]? topics, Func<TTopic, string> name, Func<TTopic, int[]> partitions, ClusterImage cluster)
    {
        if (topics is null)
        {
            return null;
        }

        var asked = new List<OffsetToFetch>();
        foreach (TTopic topic in topics)
        {
            string topicName = name(topic);
            UInt128 id = cluster.Topics.TryGetValue(topicName, out TopicInfo? info) ? info.Id : UInt128.Zero;
            foreach (int partition in partitions(topic))
            {
                asked.Add(new OffsetToFetch(topicName, id, partition));
            }
        }

        return [.. asked];
    }

    private static FetchedOffset[] NotFetched(OffsetToFetch[]? asked) =>
        Array.ConvertAll(asked ?? [], offset => new FetchedOffset(new OffsetKey(offset.Topic, offset.Partition), Committed: null));

    /// <summary>Offsets come sorted, or in the request's order: those of one topic stand together.</summary>
    private static TTopic[] ByTopic<TPartition, TTopic>(
        FetchedOffset[] offsets, Func<FetchedOffset, TPartition> partition, Func<string, TPartition[], TTopic> topic)
    {
        var topics = new List<TTopic>();
        int from = 0;
        while (from < offsets.Length)
        {
            int to = from + 1;
            while (to < offsets.Length && string.Equals(offsets[to].Key.Topic, offsets[from].Key.Topic, StringComparison.Ordinal))
            {
                to++;
            }

            topics.Add(topic(offsets[from].Key.Topic, Array.ConvertAll(offsets[from..to], new Converter<FetchedOffset, TPartition>(partition))));
            from = to;
        }

        return [.. topics];
    }

    private static OffsetFetchResponse.Partition Partition(FetchedOffset offset, KafkaError error) => new()
    {
        Index = offset.Key.Partition,
        CommittedOffset = offset.Committed?.Offset ?? -1,
        CommittedLeaderEpoch = offset.Committed?.LeaderEpoch ?? -1,
        Metadata = offset.Committed?.Metadata ?? "",
        Error = error,
    };

    private static OffsetFetchResponse.GroupPartition GroupPartition(FetchedOffset offset) => new()
    {
        Index = offset.Key.Partition,
        CommittedOffset = offset.Committed?.Offset ?? -1,
        CommittedLeaderEpoch = offset.Committed?.LeaderEpoch ?? -1,
        Metadata = offset.Committed?.Metadata ?? "",
    };

    private async Task<OffsetFetchResponse.Group> GroupAsync(OffsetFetchRequest.Group group, CancellationToken cancellation)
    {
        OffsetToFetch[]? asked = Asked(group.Topics, topic => topic.Name, topic => topic.Partitions, node.Broker.Cluster);
        (KafkaError error, FetchedOffset[] offsets) = await FetchAsync(group.GroupId, asked, cancellation);
        return new OffsetFetchResponse.Group
        {
            GroupId = group.GroupId,
            Error = error,
            Topics = ByTopic(
                offsets,
                GroupPartition,
                (name, partitions) => new OffsetFetchResponse.GroupTopic { Name = name, Partitions = partitions }),
        };
    }

    private async ValueTask<(KafkaError Error, FetchedOffset[] Offsets)> FetchAsync(
        string group, OffsetToFetch[]? asked, CancellationToken cancellation)
    {
        var fetch = new GroupFetch { Group = new ConsumerGroupId(group), Offsets = asked };
        OffsetFetchResult? result = await GroupCall<OffsetFetchResult>.AskAsync(
            node.Broker, group, (coordinator, reply, nowMs) => coordinator.FetchOffsets(fetch, nowMs, reply), cancellation);
        return result switch
        {
            null => (KafkaError.NotCoordinator, []),
            OffsetFetchResult.Fetched fetched => (KafkaError.None, fetched.Offsets),
            OffsetFetchResult.Refused refused => (ErrorMap.Of(refused.Reason), []),
            _ => throw ErrorMap.Unmapped(result),
        };
    }
}
