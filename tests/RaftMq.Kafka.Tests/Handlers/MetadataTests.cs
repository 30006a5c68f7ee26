using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Tests.Handlers;

public sealed class MetadataTests
{
    private readonly TestConnection connection = new();

    public MetadataTests()
    {
        connection.Broker.AddTopic("orders", 2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    public async Task All_topics_and_nodes_are_described(int version)
    {
        MetadataResponse answer = await connection.AskAsync(new MetadataRequest { Topics = version == 0 ? [] : null }, version);
        Assert.Equal([0, 1, 2], answer.Brokers.Select(broker => broker.NodeId));
        Assert.Equal("node2.example", answer.Brokers[2].Host);
        Assert.Equal(9094, answer.Brokers[2].Port);
        Assert.Equal(["__consumer_offsets", "orders"], answer.Topics.Select(topic => topic.Name));
        MetadataResponse.Partition partition = answer.Topics[1].Partitions[1];
        Assert.Equal((KafkaError.None, 1, 1), (partition.Error, partition.Index, partition.LeaderId));
        Assert.Equal([1, 0, 2], partition.ReplicaNodes);
        Assert.Equal([1, 0], partition.IsrNodes);
        if (version >= 12)
        {
            Assert.Equal("test-cluster", answer.ClusterId);
            Assert.Equal(2, answer.ControllerId);
            Assert.Equal("rack-0", answer.Brokers[0].Rack);
            Assert.True(answer.Topics[0].IsInternal);
            Assert.False(answer.Topics[1].IsInternal);
            Assert.Equal(WireIds.ToGuid(connection.Broker.Cluster.Topics["orders"].Id), answer.Topics[1].TopicId);
            Assert.Equal(7, partition.LeaderEpoch);
            Assert.Empty(partition.OfflineReplicas);
        }
    }

    [Fact]
    public async Task An_empty_list_asks_for_no_topic_from_version_1_on()
    {
        Assert.Empty((await connection.AskAsync(new MetadataRequest { Topics = [] }, 1)).Topics);
    }

    [Fact]
    public async Task Each_listener_is_answered_with_its_own_addresses()
    {
        var inside = new TestConnection(listener: "inside");
        MetadataResponse answer = await inside.AskAsync(new MetadataRequest(), 9);
        Assert.Equal(["10.0.0.0", "10.0.0.1", "10.0.0.2"], answer.Brokers.Select(broker => broker.Host));
        var nowhere = new TestConnection(listener: "other");
        nowhere.Broker.AddTopic("orders", 1);
        MetadataResponse none = await nowhere.AskAsync(Ask("orders"), 9);
        Assert.Empty(none.Brokers);
        Assert.Equal(KafkaError.ListenerNotFound, none.Topics[0].Partitions[0].Error);
    }

    [Fact]
    public async Task A_partition_without_a_leader_says_so()
    {
        connection.Broker.Cluster = connection.Broker.Cluster with { Leaders = connection.Broker.Cluster.Leaders.Clear() };
        MetadataResponse.Partition partition = (await connection.AskAsync(Ask("orders"), 9)).Topics[0].Partitions[0];
        Assert.Equal((KafkaError.LeaderNotAvailable, -1, -1), (partition.Error, partition.LeaderId, partition.LeaderEpoch));
    }

    [Fact]
    public async Task A_dead_node_is_no_broker_no_leader_and_an_offline_replica()
    {
        ClusterImage cluster = connection.Broker.Cluster;
        NodeInfo dead = cluster.Nodes[new NodeId(1)] with { Alive = false };
        connection.Broker.Cluster = cluster with { Nodes = cluster.Nodes.SetItem(new NodeId(1), dead) };
        MetadataResponse answer = await connection.AskAsync(Ask("orders"), 9);
        Assert.Equal([0, 2], answer.Brokers.Select(broker => broker.NodeId));
        MetadataResponse.Partition partition = answer.Topics[0].Partitions[0];
        Assert.Equal(KafkaError.LeaderNotAvailable, partition.Error);
        Assert.Equal([1], partition.OfflineReplicas);
    }

    [Fact]
    public async Task A_topic_is_created_when_it_is_first_asked_for()
    {
        MetadataResponse answer = await connection.AskAsync(Ask("fresh", "orders", "fresh"), 9);
        Assert.Equal([KafkaError.None, KafkaError.None, KafkaError.None], answer.Topics.Select(topic => topic.Error));
        Assert.Equal(4, answer.Topics[0].Partitions.Length);
        AdminCommand.CreateTopic create = Assert.IsType<AdminCommand.CreateTopic>(Assert.Single(connection.Broker.Commands));
        Assert.Equal((-1, -1, false), (create.Partitions, create.ReplicationFactor, create.Internal));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task A_topic_is_not_created_where_client_or_configuration_forbids_it(bool clientAllows, bool brokerAllows)
    {
        connection.Broker.Options = new BrokerOptions { AutoCreateTopics = brokerAllows };
        MetadataRequest request = Ask("fresh");
        request.AllowAutoTopicCreation = clientAllows;
        MetadataResponse answer = await connection.AskAsync(request, 9);
        Assert.Equal(KafkaError.UnknownTopicOrPartition, answer.Topics[0].Error);
        Assert.Empty(connection.Broker.Commands);
    }

    [Theory]
    [InlineData(nameof(AdminOutcome.TimedOut), 5)]
    [InlineData(nameof(AdminOutcome.NotController), 5)]
    [InlineData(nameof(AdminOutcome.Done), 5)]
    [InlineData(nameof(AdminOutcome.NotEnoughNodes), 38)]
    [InlineData(nameof(AdminOutcome.Refused), 44)]
    public async Task What_became_of_the_creation_is_told(string outcome, short code)
    {
        connection.Broker.AdminAnswer = new AdminResult(Enum.Parse<AdminOutcome>(outcome));
        Assert.Equal(code, (short)(await connection.AskAsync(Ask("fresh"), 9)).Topics[0].Error);
    }

    [Fact]
    public async Task Names_that_no_topic_can_have_are_refused()
    {
        MetadataResponse answer = await connection.AskAsync(Ask("a b", "", "..", new string('x', 250)), 9);
        Assert.All(answer.Topics, topic => Assert.Equal(KafkaError.InvalidTopic, topic.Error));
        Assert.Empty(connection.Broker.Commands);
    }

    [Fact]
    public async Task One_request_creates_only_so_many_topics()
    {
        MetadataRequest request = Ask(Enumerable.Range(0, 150).Select(i => $"t{i}").ToArray());
        MetadataResponse answer = await connection.AskAsync(request, 9);
        Assert.Equal(100, connection.Broker.Commands.Count);
        Assert.Equal(50, answer.Topics.Count(topic => topic.Error == KafkaError.LeaderNotAvailable));
    }

    [Fact]
    public async Task Topics_are_found_by_id()
    {
        Guid id = WireIds.ToGuid(connection.Broker.Cluster.Topics["orders"].Id);
        var request = new MetadataRequest
        {
            Topics =
            [
                new MetadataRequest.Topic { TopicId = id, Name = null },
                new MetadataRequest.Topic { TopicId = Guid.NewGuid(), Name = null },
            ],
        };
        MetadataResponse answer = await connection.AskAsync(request, 12);
        Assert.Equal("orders", answer.Topics[0].Name);
        Assert.Equal(KafkaError.UnknownTopicId, answer.Topics[1].Error);
    }

    [Fact]
    public async Task What_the_client_may_do_is_told_when_asked()
    {
        MetadataRequest request = Ask("orders");
        request.IncludeTopicAuthorizedOperations = true;
        request.IncludeClusterAuthorizedOperations = true;
        MetadataResponse asked = await connection.AskAsync(request, 8);
        Assert.Equal(0b1101_1111_1000, asked.Topics[0].TopicAuthorizedOperations);
        Assert.NotEqual(int.MinValue, asked.ClusterAuthorizedOperations);
        Assert.Equal(int.MinValue, (await connection.AskAsync(Ask("orders"), 8)).Topics[0].TopicAuthorizedOperations);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task The_cluster_is_described(int version)
    {
        DescribeClusterResponse answer = await connection.AskAsync(new DescribeClusterRequest(), version);
        Assert.Equal(("test-cluster", 2), (answer.ClusterId, answer.ControllerId));
        Assert.Equal(3, answer.Brokers.Length);
        if (version >= 1)
        {
            DescribeClusterResponse other = await connection.AskAsync(new DescribeClusterRequest { EndpointType = 2 }, version);
            Assert.Equal(KafkaError.MismatchedEndpointType, other.Error);
        }
    }

    private static MetadataRequest Ask(params string[] names) =>
        new() { Topics = Array.ConvertAll(names, name => new MetadataRequest.Topic { Name = name }) };
}
