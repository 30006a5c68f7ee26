using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>FindCoordinator: who leads the partition of the offsets topic that holds a group. The topic is created when it is first asked for.</summary>
internal sealed class FindCoordinatorHandler(KafkaNode node) : AnsweringHandler<FindCoordinatorRequest, FindCoordinatorResponse>
{
    private const sbyte GroupKey = 0;
    private const sbyte TransactionKey = 1;
    private const short FirstVersionWithList = 4;

    protected override async ValueTask<FindCoordinatorResponse> AnswerAsync(
        FindCoordinatorRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        if (message.KeyType == GroupKey && !node.Broker.Cluster.Topics.ContainsKey(OffsetsTopic.Name))
        {
            await CreateOffsetsTopicAsync(cancellation);
        }

        var view = new ClusterView(node.Broker.Cluster, request.Session.Info.Listener);
        if (request.Version < FirstVersionWithList)
        {
            FindCoordinatorResponse.Coordinator only = Find(message.Key, message.KeyType, view);
            return new FindCoordinatorResponse
            {
                Error = only.Error,
                ErrorMessage = only.ErrorMessage,
                NodeId = only.NodeId,
                Host = only.Host,
                Port = only.Port,
            };
        }

        var coordinators = new FindCoordinatorResponse.Coordinator[message.CoordinatorKeys.Length];
        for (int i = 0; i < coordinators.Length; i++)
        {
            coordinators[i] = Find(message.CoordinatorKeys[i], message.KeyType, view);
        }

        return new FindCoordinatorResponse { Coordinators = coordinators };
    }

    private static FindCoordinatorResponse.Coordinator Find(string key, sbyte keyType, ClusterView view)
    {
        switch (keyType)
        {
            case GroupKey when key.Length == 0:
                return Refused(key, KafkaError.InvalidGroupId, "the group id is empty");
            case GroupKey:
                break;
            case TransactionKey:
                return Refused(key, KafkaError.TransactionalIdAuthorizationFailed, Transactions.NotServed);
            default:
                return Refused(key, KafkaError.InvalidRequest, $"there is no coordinator for keys of type {keyType}");
        }

        if (!view.Image.Topics.TryGetValue(OffsetsTopic.Name, out TopicInfo? topic) || topic.Partitions.IsEmpty)
        {
            return Refused(key, KafkaError.CoordinatorNotAvailable, "the offsets topic does not exist yet; ask again");
        }

        PartitionInfo partition = topic.Partitions[CoordinatorPartition.Of(new ConsumerGroupId(key), topic.Partitions.Length)];
        return view.Image.LeaderOf(partition.Group) is { } leader && view.AddressOf(leader.Leader) is { } address
            ? new FindCoordinatorResponse.Coordinator
            {
                Key = key,
                NodeId = leader.Leader.Value,
                Host = address.Host,
                Port = address.Port,
            }
            : Refused(key, KafkaError.CoordinatorNotAvailable, "the group's partition has no leader now; ask again");
    }

    private static FindCoordinatorResponse.Coordinator Refused(string key, KafkaError error, string message) =>
        new() { Key = key, NodeId = -1, Host = "", Port = -1, Error = error, ErrorMessage = message };

    private Task<AdminResult> CreateOffsetsTopicAsync(CancellationToken cancellation)
    {
        var creation = new AdminCommand.CreateTopic(
            OffsetsTopic.Name,
            node.Broker.Options.OffsetsPartitions,
            ReplicationFactor: -1,
            [],
            ImmutableSortedDictionary<string, string>.Empty,
            ValidateOnly: false,
            Internal: true);
        return AdminCall.RunAsync(
            node.Broker, creation, node.Clock.MonotonicMs + node.Limits.AutoCreateTimeoutMs, cancellation);
    }
}
