using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Tests.Handlers;

public sealed class AdministrationTests
{
    private readonly TestConnection connection = new();

    public AdministrationTests()
    {
        connection.Broker.AddTopic("orders", 2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public async Task Topics_are_created(int version)
    {
        CreateTopicsResponse answer = await connection.AskAsync(
            new CreateTopicsRequest
            {
                TimeoutMs = 5000,
                Topics =
                [
                    Topic("fresh", 6, 3, ("retention.ms", "1000")),
                    Topic("orders", 1, 1),
                    Topic("twice", 1, 1),
                    Topic("twice", 1, 1),
                    Topic("__consumer_offsets", 1, 1),
                    Topic("valueless", 1, 1, ("retention.ms", null)),
                ],
            },
            version);
        Assert.Equal(
            [
                KafkaError.None, KafkaError.TopicAlreadyExists, KafkaError.InvalidRequest, KafkaError.InvalidRequest,
                KafkaError.InvalidTopic, KafkaError.InvalidConfig,
            ],
            answer.Topics.Select(topic => topic.Error));
        AdminCommand.CreateTopic create = Assert.IsType<AdminCommand.CreateTopic>(connection.Broker.Commands[0]);
        Assert.Equal(("fresh", 6, 3, false), (create.Name, create.Partitions, create.ReplicationFactor, create.ValidateOnly));
        Assert.Equal("1000", create.Configs["retention.ms"]);
        if (version >= 7)
        {
            CreateTopicsResponse.Topic made = answer.Topics[0];
            Assert.Equal((6, (short)3), (made.NumPartitions, made.ReplicationFactor));
            Assert.Equal(WireIds.ToGuid(connection.Broker.Cluster.Topics["fresh"].Id), made.TopicId);
            CreateTopicsResponse.Config retention = made.Configs!.Single(config => config.Name == "retention.ms");
            Assert.Equal(("1000", (sbyte)1), (retention.Value, retention.ConfigSource));
            Assert.Null(answer.Topics[1].Configs);
        }
    }

    [Fact]
    public async Task Topics_are_created_with_the_replicas_that_are_asked_for()
    {
        CreateTopicsRequest.Topic topic = Topic("placed", -1, -1);
        topic.Assignments =
        [
            new CreateTopicsRequest.Assignment { Index = 1, BrokerIds = [2, 0] },
            new CreateTopicsRequest.Assignment { Index = 0, BrokerIds = [0, 1] },
        ];
        Assert.Equal(KafkaError.None, (await CreateAsync(topic)).Error);
        AdminCommand.CreateTopic create = Assert.IsType<AdminCommand.CreateTopic>(connection.Broker.Commands[0]);
        Assert.Equal([new NodeId(0), new NodeId(1)], create.Assignments[0]);
        Assert.Equal([new NodeId(2), new NodeId(0)], create.Assignments[1]);

        topic.Name = "gap";
        topic.Assignments[0].Index = 2;
        Assert.Equal(KafkaError.InvalidReplicaAssignment, (await CreateAsync(topic)).Error);
        topic.Assignments[0].Index = 0;
        Assert.Equal(KafkaError.InvalidReplicaAssignment, (await CreateAsync(topic)).Error);
        topic.NumPartitions = 2;
        Assert.Equal(KafkaError.InvalidRequest, (await CreateAsync(topic)).Error);
    }

    [Fact]
    public async Task What_the_controller_refuses_is_told_with_its_message()
    {
        connection.Broker.AdminAnswer = new AdminResult(AdminOutcome.InvalidConfig, "retention.ms must be a number");
        CreateTopicsResponse.Topic answer = await CreateAsync(Topic("fresh", 1, 1));
        Assert.Equal((KafkaError.InvalidConfig, "retention.ms must be a number"), (answer.Error, answer.ErrorMessage));
    }

    [Fact]
    public async Task Many_topics_are_created_in_turn_and_answered_in_order()
    {
        CreateTopicsResponse answer = await connection.AskAsync(
            new CreateTopicsRequest { Topics = Enumerable.Range(0, 300).Select(i => Topic($"t{i}", 1, 1)).ToArray() }, 5);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"t{i}"), answer.Topics.Select(topic => topic.Name));
        Assert.All(answer.Topics, topic => Assert.Equal(KafkaError.None, topic.Error));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task Topics_are_deleted_by_name(int version)
    {
        DeleteTopicsResponse answer = await connection.AskAsync(
            new DeleteTopicsRequest { TopicNames = ["orders", "nothing", "__consumer_offsets"] }, version);
        Assert.Equal(
            [KafkaError.None, KafkaError.UnknownTopicOrPartition, KafkaError.InvalidTopic],
            answer.Responses.Select(response => response.Error));
        Assert.False(connection.Broker.Cluster.Topics.ContainsKey("orders"));
    }

    [Fact]
    public async Task Topics_are_deleted_by_id()
    {
        Guid id = WireIds.ToGuid(connection.Broker.Cluster.Topics["orders"].Id);
        Guid offsets = WireIds.ToGuid(connection.Broker.Cluster.Topics["__consumer_offsets"].Id);
        DeleteTopicsResponse answer = await connection.AskAsync(
            new DeleteTopicsRequest
            {
                Topics =
                [
                    new DeleteTopicsRequest.Topic { TopicId = id },
                    new DeleteTopicsRequest.Topic { TopicId = Guid.NewGuid() },
                    new DeleteTopicsRequest.Topic { TopicId = offsets },
                    new DeleteTopicsRequest.Topic { Name = "orders", TopicId = id },
                ],
            },
            6);
        Assert.Equal(
            [KafkaError.None, KafkaError.UnknownTopicId, KafkaError.InvalidTopic, KafkaError.InvalidRequest],
            answer.Responses.Select(response => response.Error));
        Assert.Equal(("orders", id), (answer.Responses[0].Name, answer.Responses[0].TopicId));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Partitions_are_added(int version)
    {
        CreatePartitionsResponse answer = await connection.AskAsync(
            new CreatePartitionsRequest
            {
                Topics =
                [
                    new CreatePartitionsRequest.Topic
                    {
                        Name = "orders",
                        Count = 4,
                        Assignments = [new() { BrokerIds = [0, 1] }, new() { BrokerIds = [1, 2] }],
                    },
                    new CreatePartitionsRequest.Topic { Name = "__consumer_offsets", Count = 400 },
                ],
                ValidateOnly = true,
            },
            version);
        Assert.Equal([KafkaError.None, KafkaError.InvalidTopic], answer.Results.Select(result => result.Error));
        AdminCommand.AddPartitions add = Assert.IsType<AdminCommand.AddPartitions>(Assert.Single(connection.Broker.Commands));
        Assert.Equal(("orders", 4, true), (add.Topic, add.TotalCount, add.ValidateOnly));
        Assert.Equal([new NodeId(1), new NodeId(2)], add.Assignments[1]);
    }

    [Fact]
    public async Task Replicas_are_moved_and_a_movement_goes_back()
    {
        AlterPartitionReassignmentsResponse answer = await connection.AskAsync(
            new AlterPartitionReassignmentsRequest
            {
                Topics =
                [
                    new AlterPartitionReassignmentsRequest.Topic
                    {
                        Name = "orders",
                        Partitions = [new() { Index = 0, Replicas = [2, 0] }, new() { Index = 1, Replicas = null }],
                    },
                ],
            },
            0);
        Assert.Equal([KafkaError.None, KafkaError.None], Assert.Single(answer.Responses).Partitions.Select(partition => partition.Error));
        AdminCommand.Reassign[] moves = [.. connection.Broker.Commands.Cast<AdminCommand.Reassign>()];
        Assert.Equal([("orders", 0), ("orders", 1)], moves.Select(move => (move.Topic, move.Partition)));
        Assert.Equal([new NodeId(2), new NodeId(0)], moves[0].To!.Value);
        Assert.Null(moves[1].To);

        connection.Broker.AdminAnswer = new AdminResult(AdminOutcome.NotMoving, "nothing moves");
        answer = await connection.AskAsync(
            new AlterPartitionReassignmentsRequest { Topics = [new() { Name = "orders", Partitions = [new() { Index = 0, Replicas = null }] }] }, 0);
        AlterPartitionReassignmentsResponse.Partition refused = Assert.Single(Assert.Single(answer.Responses).Partitions);
        Assert.Equal((KafkaError.NoReassignmentInProgress, "nothing moves"), (refused.Error, refused.ErrorMessage));
    }

    [Fact]
    public async Task Movements_under_way_are_listed()
    {
        TopicInfo topic = connection.Broker.Cluster.Topics["orders"];
        PartitionInfo moving = topic.Partitions[0].MovedTo([new ReplicaId(new NodeId(3), default), topic.Partitions[0].Replicas[0]]);
        connection.Broker.Cluster = connection.Broker.Cluster with
        {
            Topics = connection.Broker.Cluster.Topics.SetItem("orders", topic with { Partitions = topic.Partitions.SetItem(0, moving) }),
        };

        ListPartitionReassignmentsRequest.Topic[] some = [new() { Name = "orders", PartitionIndexes = [0, 1, 77] }];
        foreach (ListPartitionReassignmentsRequest.Topic[]? asked in new[] { null, some })
        {
            ListPartitionReassignmentsResponse answer = await connection.AskAsync(new ListPartitionReassignmentsRequest { Topics = asked }, 0);
            ListPartitionReassignmentsResponse.Partition partition = Assert.Single(Assert.Single(answer.Topics).Partitions);
            Assert.Equal((0, "3,1,0,2", "3", "0,2"), (
                partition.Index, string.Join(',', partition.Replicas), string.Join(',', partition.AddingReplicas),
                string.Join(',', partition.RemovingReplicas)));
        }

        Assert.Empty((await connection.AskAsync(
            new ListPartitionReassignmentsRequest { Topics = [new() { Name = "no", PartitionIndexes = [0] }] }, 0)).Topics);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task The_preferred_replica_is_elected_and_an_unclean_election_refused(int version)
    {
        var one = new ElectLeadersRequest { TopicPartitions = [new() { Name = "orders", Partitions = [0, 99] }] };
        ElectLeadersResponse answer = await connection.AskAsync(one, version);
        Assert.Equal(
            [KafkaError.ElectionNotNeeded, KafkaError.UnknownTopicOrPartition],
            Assert.Single(answer.ReplicaElectionResults).PartitionResult.Select(partition => partition.Error));
        Assert.Empty(connection.Broker.Commands);

        ClusterImage cluster = connection.Broker.Cluster;
        GroupId group = cluster.Partition("orders", 0)!.Group;
        connection.Broker.Cluster = cluster with { Leaders = cluster.Leaders.SetItem(group, new LeaderInfo(new NodeId(0), 8, [new NodeId(0)])) };
        answer = await connection.AskAsync(one, version);
        Assert.Equal(KafkaError.None, answer.ReplicaElectionResults[0].PartitionResult[0].Error);
        AdminCommand.TransferLeadership transfer = Assert.IsType<AdminCommand.TransferLeadership>(Assert.Single(connection.Broker.Commands));
        Assert.Equal(new NodeId(1), transfer.To);

        if (version > 0)
        {
            answer = await connection.AskAsync(
                new ElectLeadersRequest { ElectionType = 1, TopicPartitions = [new() { Name = "orders", Partitions = [0] }] }, version);
            ElectLeadersResponse.Partition refused = Assert.Single(Assert.Single(answer.ReplicaElectionResults).PartitionResult);
            Assert.Equal(KafkaError.PolicyViolation, refused.Error);
            Assert.Contains("nclean", refused.ErrorMessage!, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Records_are_deleted(int version)
    {
        connection.Broker.Append("orders", 0, Batches.Of(9));
        DeleteRecordsResponse answer = await connection.AskAsync(
            new DeleteRecordsRequest
            {
                Topics =
                [
                    new DeleteRecordsRequest.Topic
                    {
                        Name = "orders",
                        Partitions = [new() { Index = 0, Offset = 4 }, new() { Index = 1, Offset = -1 }, new() { Index = 7, Offset = 1 }],
                    },
                    new DeleteRecordsRequest.Topic { Name = "__consumer_offsets", Partitions = [new() { Index = 0, Offset = 1 }] },
                ],
            },
            version);
        Assert.Equal(
            [
                (KafkaError.None, 4L), (KafkaError.None, 0L), (KafkaError.UnknownTopicOrPartition, -1L), (KafkaError.InvalidTopic, -1L),
            ],
            answer.Topics.SelectMany(topic => topic.Partitions).Select(partition => (partition.Error, partition.LowWatermark)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task Topic_settings_are_described_with_their_sources(int version)
    {
        await SetAsync(("retention.ms", 0, "5000"));
        DescribeConfigsResponse.Result result = await DescribeAsync(2, "orders", version);
        Assert.Equal(TopicConfigs.All.Keys, result.Configs.Select(config => config.Name));
        DescribeConfigsResponse.Config retention = result.Configs.Single(config => config.Name == "retention.ms");
        DescribeConfigsResponse.Config policy = result.Configs.Single(config => config.Name == "cleanup.policy");
        Assert.Equal(("5000", "delete"), (retention.Value, policy.Value));
        if (version == 0)
        {
            Assert.Equal((false, true), (retention.IsDefault, policy.IsDefault));
            return;
        }

        Assert.Equal(((sbyte)1, (sbyte)5), (retention.ConfigSource, policy.ConfigSource));
        Assert.Equal(((sbyte)5, (sbyte)7), (retention.ConfigType, policy.ConfigType));
        Assert.Equal(["5000", "604800000"], retention.Synonyms.Select(synonym => synonym.Value));
        Assert.NotNull(retention.Documentation);
    }

    [Fact]
    public async Task Topic_that_says_no_batch_size_shows_the_nodes()
    {
        DescribeConfigsResponse.Config byDefault = (await DescribeAsync(2, "orders", 4)).Configs.Single(config => config.Name == "max.message.bytes");
        Assert.Equal(("1048588", 5), (byDefault.Value, byDefault.ConfigSource));

        connection.Broker.Options = new BrokerOptions { Limits = new BrokerLimits { RecordBatchBytesMax = 70_000 } };
        DescribeConfigsResponse.Config ofNode = (await DescribeAsync(2, "orders", 4)).Configs.Single(config => config.Name == "max.message.bytes");
        Assert.Equal(("70000", 4), (ofNode.Value, ofNode.ConfigSource));
        Assert.Equal(
            [("message.max.bytes", "70000", 4), ("max.message.bytes", "1048588", 5)],
            ofNode.Synonyms.Select(synonym => (synonym.Name, synonym.Value, (int)synonym.Source)));

        await SetAsync(("max.message.bytes", 0, "5000"));
        DescribeConfigsResponse.Config ofTopic = (await DescribeAsync(2, "orders", 4)).Configs.Single(config => config.Name == "max.message.bytes");
        Assert.Equal(("5000", 1), (ofTopic.Value, ofTopic.ConfigSource));
        Assert.Equal(["5000", "70000", "1048588"], ofTopic.Synonyms.Select(synonym => synonym.Value));
    }

    [Fact]
    public async Task Settings_of_this_node_are_described_and_no_others()
    {
        DescribeConfigsResponse.Result self = await DescribeAsync(4, "1", 4);
        Assert.Equal("4", self.Configs.Single(config => config.Name == "num.partitions").Value);
        Assert.All(self.Configs, config => Assert.True(config.ReadOnly));
        Assert.Equal("node1.example:8080", self.Configs.Single(config => config.Name == "http.advertised").Value);
        Assert.Equal(KafkaError.InvalidRequest, (await DescribeAsync(4, "2", 4)).Error);
        Assert.Empty((await DescribeAsync(4, "", 4)).Configs);
        Assert.Equal(KafkaError.InvalidRequest, (await DescribeAsync(8, "1", 4)).Error);
        Assert.Equal(KafkaError.UnknownTopicOrPartition, (await DescribeAsync(2, "nothing", 4)).Error);
    }

    [Fact]
    public async Task Only_the_settings_asked_for_are_described()
    {
        var request = new DescribeConfigsRequest
        {
            Resources = [new() { ResourceType = 2, ResourceName = "orders", ConfigurationKeys = ["segment.ms", "unheard.of"] }],
        };
        DescribeConfigsResponse answer = await connection.AskAsync(request, 1);
        Assert.Equal("segment.ms", Assert.Single(answer.Results[0].Configs).Name);
    }

    [Fact]
    public async Task Single_settings_are_changed_and_taken_back()
    {
        Assert.Equal(KafkaError.None, await SetAsync(("retention.ms", 0, "5000"), ("segment.ms", 0, "7000")));
        Assert.Equal(KafkaError.None, await SetAsync(("retention.ms", 1, null)));
        Assert.Equal("7000", Assert.Single(connection.Broker.Cluster.Topics["orders"].Configs).Value);
        Assert.Equal(KafkaError.None, await SetAsync(("cleanup.policy", 2, "compact")));
        Assert.Equal("delete,compact", connection.Broker.Cluster.Topics["orders"].Configs["cleanup.policy"]);
        Assert.Equal(KafkaError.None, await SetAsync(("cleanup.policy", 3, "compact")));
        Assert.Equal("delete", connection.Broker.Cluster.Topics["orders"].Configs["cleanup.policy"]);
        Assert.Equal(KafkaError.InvalidConfig, await SetAsync(("retention.ms", 2, "1")));
        Assert.Equal(KafkaError.InvalidConfig, await SetAsync(("retention.ms", 9, "1")));
        Assert.Equal(KafkaError.InvalidConfig, await SetAsync(("retention.ms", 0, null)));
        Assert.Equal(KafkaError.InvalidConfig, await SetAsync(("retention.ms", 0, "1"), ("retention.ms", 0, "2")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task All_settings_of_a_topic_are_replaced(int version)
    {
        await SetAsync(("retention.ms", 0, "5000"));
        AlterConfigsResponse answer = await connection.AskAsync(
            new AlterConfigsRequest
            {
                Resources =
                [
                    new() { ResourceType = 2, ResourceName = "orders", Configs = [new() { Name = "segment.ms", Value = "9" }] },
                    new() { ResourceType = 2, ResourceName = "nothing" },
                    new() { ResourceType = 2, ResourceName = "__consumer_offsets" },
                    new() { ResourceType = 4, ResourceName = "1" },
                    new() { ResourceType = 9, ResourceName = "x" },
                    new() { ResourceType = 9, ResourceName = "x" },
                ],
            },
            version);
        Assert.Equal(
            [
                KafkaError.None, KafkaError.UnknownTopicOrPartition, KafkaError.InvalidTopic, KafkaError.InvalidRequest,
                KafkaError.InvalidRequest, KafkaError.InvalidRequest,
            ],
            answer.Responses.Select(response => response.Error));
        Assert.Equal("segment.ms", Assert.Single(connection.Broker.Cluster.Topics["orders"].Configs).Key);
    }

    private static CreateTopicsRequest.Topic Topic(
        string name, int partitions, short replicas, params (string Name, string? Value)[] configs) => new()
        {
            Name = name,
            NumPartitions = partitions,
            ReplicationFactor = replicas,
            Configs = Array.ConvertAll(configs, config => new CreateTopicsRequest.Config { Name = config.Name, Value = config.Value }),
        };

    private async Task<CreateTopicsResponse.Topic> CreateAsync(CreateTopicsRequest.Topic topic) =>
        Assert.Single((await connection.AskAsync(new CreateTopicsRequest { Topics = [topic] }, 5)).Topics);

    private async Task<KafkaError> SetAsync(params (string Name, sbyte Operation, string? Value)[] changes)
    {
        IncrementalAlterConfigsResponse answer = await connection.AskAsync(
            new IncrementalAlterConfigsRequest
            {
                Resources =
                [
                    new()
                    {
                        ResourceType = 2,
                        ResourceName = "orders",
                        Configs = Array.ConvertAll(changes, change => new IncrementalAlterConfigsRequest.Config
                        {
                            Name = change.Name,
                            ConfigOperation = change.Operation,
                            Value = change.Value,
                        }),
                    },
                ],
            },
            1);
        return Assert.Single(answer.Responses).Error;
    }

    private async Task<DescribeConfigsResponse.Result> DescribeAsync(sbyte type, string name, int version)
    {
        DescribeConfigsResponse answer = await connection.AskAsync(
            new DescribeConfigsRequest
            {
                Resources = [new() { ResourceType = type, ResourceName = name, ConfigurationKeys = null }],
                IncludeSynonyms = true,
                IncludeDocumentation = true,
            },
            version);
        return Assert.Single(answer.Results);
    }
}
