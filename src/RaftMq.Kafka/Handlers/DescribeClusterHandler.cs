using RaftMq.Broker.Controller;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Handlers;

/// <summary>DescribeCluster: the nodes as clients reach them. There are no separate controller nodes to describe.</summary>
internal sealed class DescribeClusterHandler(KafkaNode node) : AnsweringHandler<DescribeClusterRequest, DescribeClusterResponse>
{
    private const sbyte BrokerEndpoints = 1;

    protected override ValueTask<DescribeClusterResponse> AnswerAsync(
        DescribeClusterRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        var view = new ClusterView(node.Broker.Cluster, request.Session.Info.Listener);
        if (message.EndpointType != BrokerEndpoints)
        {
            return new(new DescribeClusterResponse
            {
                Error = KafkaError.MismatchedEndpointType,
                ErrorMessage = "only brokers (endpoint type 1) can be described; every node is one",
                EndpointType = message.EndpointType,
                ClusterId = view.Image.ClusterId,
            });
        }

        List<(NodeId Node, ListenerAddress Address, string? Rack)> nodes = view.Nodes();
        var brokers = new DescribeClusterResponse.Broker[nodes.Count];
        for (int i = 0; i < brokers.Length; i++)
        {
            (NodeId id, ListenerAddress address, string? rack) = nodes[i];
            brokers[i] = new DescribeClusterResponse.Broker
            {
                BrokerId = id.Value,
                Host = address.Host,
                Port = address.Port,
                Rack = rack,
            };
        }

        return new(new DescribeClusterResponse
        {
            EndpointType = BrokerEndpoints,
            ClusterId = view.Image.ClusterId,
            ControllerId = view.Controller,
            Brokers = brokers,
            ClusterAuthorizedOperations =
                message.IncludeClusterAuthorizedOperations ? AllowedOperations.Cluster : AllowedOperations.NotAsked,
        });
    }
}
