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
            new FindCoordinatorHandler(node),
            new ApiVersionsHandler(),
            new InitProducerIdHandler(node),
            new OffsetForLeaderEpochHandler(node),
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
