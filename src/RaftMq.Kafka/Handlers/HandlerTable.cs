using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;

namespace RaftMq.Kafka.Handlers;

/// <summary>All handlers of a node, by API key. A test holds it against what is advertised.</summary>
internal sealed class HandlerTable
{
    private readonly RequestHandler?[] byKey;

    public HandlerTable(KafkaNode node)
    {
        RequestHandler[] all =
        [
            new ProduceHandler(node),
            new FetchHandler(node),
            new ListOffsetsHandler(node),
            new MetadataHandler(node),
            new OffsetCommitHandler(node),
            new OffsetFetchHandler(node),
            new FindCoordinatorHandler(node),
            new JoinGroupHandler(node),
            new HeartbeatHandler(node),
            new LeaveGroupHandler(node),
            new SyncGroupHandler(node),
            new DescribeGroupsHandler(node),
            new ListGroupsHandler(node),
            new ApiVersionsHandler(),
            new CreateTopicsHandler(node),
            new DeleteTopicsHandler(node),
            new DeleteRecordsHandler(node),
            new InitProducerIdHandler(node),
            new OffsetForLeaderEpochHandler(node),
            new DescribeConfigsHandler(node),
            new AlterConfigsHandler(node),
            new CreatePartitionsHandler(node),
            new DeleteGroupsHandler(node),
            new ElectLeadersHandler(node),
            new IncrementalAlterConfigsHandler(node),
            new AlterPartitionReassignmentsHandler(node),
            new ListPartitionReassignmentsHandler(node),
            new OffsetDeleteHandler(node),
            new DescribeClusterHandler(node),
        ];
        byKey = new RequestHandler?[all.Max(handler => (int)handler.Key) + 1];
        foreach (RequestHandler handler in all)
        {
            byKey[(int)handler.Key] = handler;
        }
    }

    public RequestHandler? Find(ApiKey key) => (uint)key < (uint)byKey.Length ? byKey[(int)key] : null;
}
