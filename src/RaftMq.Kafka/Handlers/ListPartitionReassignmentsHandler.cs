using RaftMq.Broker.Controller;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Handlers;

/// <summary>ListPartitionReassignments: movements under way, as this node's copy of the cluster's state has them.</summary>
internal sealed class ListPartitionReassignmentsHandler(KafkaNode node)
    : AnsweringHandler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>
{
    protected override ValueTask<ListPartitionReassignmentsResponse> AnswerAsync(
        ListPartitionReassignmentsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        ClusterImage cluster = node.Broker.Cluster;
        IEnumerable<(TopicInfo Topic, IEnumerable<PartitionInfo> Partitions)> asked = message.Topics is null
            ? cluster.Topics.Values.Select(topic => (topic, topic.Partitions.AsEnumerable()))
            : message.Topics.Where(topic => cluster.Topics.ContainsKey(topic.Name)).Select(topic =>
                (cluster.Topics[topic.Name],
                    topic.PartitionIndexes.Distinct().Select(index => cluster.Partition(topic.Name, index)).OfType<PartitionInfo>()));
        return ValueTask.FromResult(new ListPartitionReassignmentsResponse
        {
            Topics =
            [
                .. asked.Select(one => new ListPartitionReassignmentsResponse.Topic
                {
                    Name = one.Topic.Name,
                    Partitions = [.. one.Partitions.Where(partition => partition.IsMoving).Select(Of)],
                }).Where(topic => topic.Partitions.Length > 0),
            ],
        });
    }

    private static ListPartitionReassignmentsResponse.Partition Of(PartitionInfo partition) => new()
    {
        Index = partition.Number,
        Replicas = Nodes(partition.Placed),
        AddingReplicas = Nodes(partition.Adding),
        RemovingReplicas = Nodes(partition.Leaving),
    };

    private static int[] Nodes(IEnumerable<ReplicaId> replicas) => [.. replicas.Select(replica => replica.Node.Value)];
}
