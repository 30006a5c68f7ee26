using RaftMq.Broker.Groups;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using OffsetCommitRequest = RaftMq.Kafka.Wire.Messages.OffsetCommitRequest;
using OffsetDeleteRequest = RaftMq.Kafka.Wire.Messages.OffsetDeleteRequest;
using OffsetFetchRequest = RaftMq.Kafka.Wire.Messages.OffsetFetchRequest;

namespace RaftMq.Kafka.Tests.Handlers;

public sealed class GroupTests
{
    private readonly TestConnection connection = new();

    public GroupTests()
    {
        connection.Broker.AddTopic("orders", 3);
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(3, 2, 2, 2)]
    [InlineData(9, 5, 4, 5)]
    public async Task A_consumer_joins_syncs_lives_and_leaves(int join, int sync, int heartbeat, int leave)
    {
        JoinGroupResponse joined = await JoinAsync(connection, join, "");
        if (join >= 4)
        {
            Assert.Equal(KafkaError.MemberIdRequired, joined.Error);
            joined = await JoinAsync(connection, join, joined.MemberId);
        }

        Assert.Equal(KafkaError.None, joined.Error);
        Assert.Equal(joined.MemberId, joined.Leader);
        Assert.Equal("range", joined.ProtocolName);
        Assert.Equal(joined.MemberId, Assert.Single(joined.Members).MemberId);
        SyncGroupResponse synced = await connection.AskAsync(
            new SyncGroupRequest
            {
                GroupId = "g",
                GenerationId = joined.GenerationId,
                MemberId = joined.MemberId,
                ProtocolType = sync >= 5 ? "consumer" : null,
                ProtocolName = sync >= 5 ? "range" : null,
                Assignments = [new SyncGroupRequest.MemberAssignment { MemberId = joined.MemberId, Assignment = [1, 2, 3] }],
            },
            sync);
        Assert.Equal(KafkaError.None, synced.Error);
        Assert.Equal([1, 2, 3], synced.Assignment);

        var beat = new HeartbeatRequest { GroupId = "g", GenerationId = joined.GenerationId, MemberId = joined.MemberId };
        Assert.Equal(KafkaError.None, (await connection.AskAsync(beat, heartbeat)).Error);
        beat.GenerationId--;
        Assert.Equal(KafkaError.IllegalGeneration, (await connection.AskAsync(beat, heartbeat)).Error);

        DescribeGroupsResponse.Group described = Assert.Single(
            (await connection.AskAsync(new DescribeGroupsRequest { Groups = ["g"] }, 5)).Groups);
        Assert.Equal("Stable", described.GroupState);
        Assert.Equal("/192.0.2.7", Assert.Single(described.Members).ClientHost);

        LeaveGroupResponse left = await connection.AskAsync(
            new LeaveGroupRequest
            {
                GroupId = "g",
                MemberId = joined.MemberId,
                Members = [new LeaveGroupRequest.Member { MemberId = joined.MemberId }, new LeaveGroupRequest.Member { MemberId = "who" }],
            },
            leave);
        Assert.Equal(KafkaError.None, left.Error);
        if (leave >= 3)
        {
            Assert.Equal([KafkaError.None, KafkaError.UnknownMemberId], left.Members.Select(member => member.Error));
        }

        Assert.Equal(KafkaError.UnknownMemberId, (await connection.AskAsync(beat, heartbeat)).Error);
    }

    [Fact]
    public async Task A_join_waits_for_the_others_and_its_connection_is_not_read_on()
    {
        TestConnection other = connection.Another();
        JoinGroupResponse first = await JoinAsync(connection, 3, "");
        TestResponse second = other.Send(Join("", 3), 3);
        Assert.False(second.Handled.IsCompleted);
        JoinGroupResponse again = await JoinAsync(connection, 3, first.MemberId);
        JoinGroupResponse joined = await second.ReadAsync<JoinGroupResponse>();
        Assert.Equal(again.GenerationId, joined.GenerationId);
        Assert.Equal(2, again.Members.Length);
        Assert.Empty(joined.Members);
    }

    [Fact]
    public async Task A_join_whose_connection_ends_is_let_go()
    {
        await JoinAsync(connection, 3, "");
        TestConnection other = connection.Another();
        TestResponse second = other.Send(Join("", 3), 3);
        await other.Gone.CancelAsync();
        await second.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        Assert.NotNull(second.ClosedBecause);
        connection.Clock.Advance(400_000);
        connection.Broker.TickGroups();
        Assert.Empty(connection.Observer.Faults);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 1)]
    [InlineData(7, 5)]
    [InlineData(9, 9)]
    public async Task Offsets_are_committed_and_fetched_also_by_one_who_is_no_member(int commit, int fetch)
    {
        OffsetCommitResponse committed = await connection.AskAsync(Commit(("orders", 1, 42), ("orders", 9, 1), ("nothing", 0, 1)), commit);
        Assert.Equal(
            [KafkaError.None, KafkaError.UnknownTopicOrPartition, KafkaError.UnknownTopicOrPartition],
            committed.Topics.SelectMany(topic => topic.Partitions).Select(partition => partition.Error));

        if (fetch >= 8)
        {
            OffsetFetchResponse.Group group = Assert.Single((await connection.AskAsync(FetchGroups("g"), fetch)).Groups);
            Assert.Equal(KafkaError.None, group.Error);
            Assert.Equal([42, -1], group.Topics[0].Partitions.Select(partition => partition.CommittedOffset));
        }
        else
        {
            OffsetFetchResponse answer = await connection.AskAsync(Fetch("g"), fetch);
            Assert.Equal([42, -1], answer.Topics[0].Partitions.Select(partition => partition.CommittedOffset));
            Assert.Equal("note", answer.Topics[0].Partitions[0].Metadata);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public async Task An_unknown_group_has_offset_minus_one_and_no_error(int version)
    {
        OffsetFetchResponse answer = await connection.AskAsync(Fetch("nobody"), version);
        Assert.Equal(KafkaError.None, answer.Error);
        Assert.All(answer.Topics[0].Partitions, partition =>
        {
            Assert.Equal(-1, partition.CommittedOffset);
            Assert.Equal(KafkaError.None, partition.Error);
        });
        OffsetFetchResponse.Group group = Assert.Single((await connection.AskAsync(FetchGroups("nobody"), 8)).Groups);
        Assert.Equal(KafkaError.None, group.Error);
        Assert.All(group.Topics[0].Partitions, partition => Assert.Equal(-1, partition.CommittedOffset));
    }

    [Fact]
    public async Task All_offsets_of_a_group_are_fetched_when_no_topic_is_named()
    {
        connection.Broker.AddTopic("bills", 2);
        await connection.AskAsync(Commit(("orders", 1, 42), ("orders", 2, 43), ("bills", 0, 5)), 8);
        OffsetFetchRequest request = Fetch("g");
        request.Topics = null;
        OffsetFetchResponse answer = await connection.AskAsync(request, 7);
        Assert.Equal(["bills", "orders"], answer.Topics.Select(topic => topic.Name));
        Assert.Equal([42, 43], answer.Topics[1].Partitions.Select(partition => partition.CommittedOffset));
    }

    [Fact]
    public async Task A_topic_made_again_does_not_inherit_offsets()
    {
        await connection.AskAsync(Commit(("orders", 1, 42)), 8);
        await connection.AskAsync(new DeleteTopicsRequest { TopicNames = ["orders"] }, 3);
        connection.Broker.AddTopic("orders", 3);
        OffsetFetchResponse answer = await connection.AskAsync(Fetch("g"), 5);
        Assert.Equal([-1, -1], answer.Topics[0].Partitions.Select(partition => partition.CommittedOffset));
    }

    [Fact]
    public async Task Groups_are_listed_and_filtered_and_deleted()
    {
        await JoinAsync(connection, 3, "");
        OffsetCommitRequest commit = Commit(("orders", 1, 42));
        commit.GroupId = "simple";
        await connection.AskAsync(commit, 8);
        ListGroupsResponse all = await connection.AskAsync(new ListGroupsRequest(), 4);
        Assert.Equal(["g", "simple"], all.Groups.Select(group => group.GroupId).Order(StringComparer.Ordinal));
        ListGroupsResponse empty = await connection.AskAsync(new ListGroupsRequest { StatesFilter = ["empty"] }, 4);
        Assert.Equal("simple", Assert.Single(empty.Groups).GroupId);

        DeleteGroupsResponse deleted = await connection.AskAsync(new DeleteGroupsRequest { GroupNames = ["simple", "g", "nobody"] }, 2);
        Assert.Equal(
            [KafkaError.None, KafkaError.NonEmptyGroup, KafkaError.GroupIdNotFound], deleted.Results.Select(result => result.Error));
        DescribeGroupsResponse gone = await connection.AskAsync(new DescribeGroupsRequest { Groups = ["simple"] }, 0);
        Assert.Equal("Dead", gone.Groups[0].GroupState);
        Assert.Equal(KafkaError.None, gone.Groups[0].Error);
    }

    [Fact]
    public async Task Offsets_are_deleted_unless_a_member_subscribes()
    {
        await connection.AskAsync(Commit(("orders", 1, 42)), 8);
        var delete = new OffsetDeleteRequest
        {
            GroupId = "g",
            Topics =
            [
                new OffsetDeleteRequest.Topic
                {
                    Name = "orders",
                    Partitions = [new OffsetDeleteRequest.Partition { Index = 1 }],
                },
            ],
        };
        OffsetDeleteResponse answer = await connection.AskAsync(delete, 0);
        Assert.Equal(KafkaError.None, answer.Topics[0].Partitions[0].Error);
        Assert.Equal(-1, (await connection.AskAsync(Fetch("g"), 5)).Topics[0].Partitions[0].CommittedOffset);

        await JoinAsync(connection, 3, "");
        await connection.AskAsync(Fetch("g"), 5);
        OffsetDeleteResponse inUse = await connection.AskAsync(delete, 0);
        Assert.Equal(KafkaError.GroupSubscribedToTopic, inUse.Topics[0].Partitions[0].Error);
    }

    [Fact]
    public async Task Another_nodes_groups_are_not_answered_for()
    {
        connection.Broker.NotCoordinator = true;
        Assert.Equal(KafkaError.NotCoordinator, (await JoinAsync(connection, 5, "")).Error);
        Assert.Equal(KafkaError.NotCoordinator, (await connection.AskAsync(new SyncGroupRequest { GroupId = "g" }, 5)).Error);
        Assert.Equal(KafkaError.NotCoordinator, (await connection.AskAsync(new HeartbeatRequest { GroupId = "g" }, 4)).Error);
        Assert.Equal(KafkaError.NotCoordinator, (await connection.AskAsync(new LeaveGroupRequest { GroupId = "g" }, 5)).Error);
        Assert.Equal(
            KafkaError.NotCoordinator, (await connection.AskAsync(Commit(("orders", 1, 1)), 8)).Topics[0].Partitions[0].Error);
        Assert.Equal(KafkaError.NotCoordinator, (await connection.AskAsync(Fetch("g"), 7)).Error);
        Assert.Equal(KafkaError.NotCoordinator, (await connection.AskAsync(Fetch("g"), 1)).Topics[0].Partitions[0].Error);
        Assert.Equal(KafkaError.NotCoordinator, (await connection.AskAsync(FetchGroups("g"), 9)).Groups[0].Error);
        Assert.Equal(KafkaError.NotCoordinator, (await connection.AskAsync(new OffsetDeleteRequest { GroupId = "g" }, 0)).Error);
        Assert.Equal(
            KafkaError.NotCoordinator, (await connection.AskAsync(new DeleteGroupsRequest { GroupNames = ["g"] }, 2)).Results[0].Error);
        Assert.Equal(
            KafkaError.NotCoordinator, (await connection.AskAsync(new DescribeGroupsRequest { Groups = ["g"] }, 5)).Groups[0].Error);
        Assert.Equal(KafkaError.CoordinatorLoadInProgress, (await connection.AskAsync(new ListGroupsRequest(), 4)).Error);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task The_coordinator_is_the_leader_of_the_groups_partition(int version)
    {
        FindCoordinatorResponse found = await connection.AskAsync(new FindCoordinatorRequest { Key = "g" }, version);
        Assert.Equal(KafkaError.None, found.Error);
        Assert.Equal((1, "node1.example", 9093), (found.NodeId, found.Host, found.Port));
    }

    [Fact]
    public async Task Several_coordinators_are_found_at_once()
    {
        FindCoordinatorResponse found = await connection.AskAsync(
            new FindCoordinatorRequest { CoordinatorKeys = ["a", "", "c"] }, 4);
        Assert.Equal(
            [KafkaError.None, KafkaError.InvalidGroupId, KafkaError.None], found.Coordinators.Select(coordinator => coordinator.Error));
        Assert.Equal(["a", "", "c"], found.Coordinators.Select(coordinator => coordinator.Key));
    }

    [Fact]
    public async Task There_is_no_coordinator_of_transactions_and_no_client_goes_on_asking()
    {
        FindCoordinatorResponse found = await connection.AskAsync(new FindCoordinatorRequest { Key = "tx", KeyType = 1 }, 2);
        Assert.Equal(KafkaError.TransactionalIdAuthorizationFailed, found.Error);
        Assert.Contains("not served", found.ErrorMessage, StringComparison.Ordinal);
        FindCoordinatorResponse other = await connection.AskAsync(new FindCoordinatorRequest { Key = "x", KeyType = 2 }, 2);
        Assert.Equal(KafkaError.InvalidRequest, other.Error);
    }

    [Fact]
    public async Task Without_a_leader_the_client_is_told_to_ask_again()
    {
        connection.Broker.Cluster = connection.Broker.Cluster with { Leaders = connection.Broker.Cluster.Leaders.Clear() };
        FindCoordinatorResponse found = await connection.AskAsync(new FindCoordinatorRequest { Key = "g" }, 2);
        Assert.Equal(KafkaError.CoordinatorNotAvailable, found.Error);
    }

    [Fact]
    public async Task The_offsets_topic_is_made_when_it_is_first_needed()
    {
        connection.Broker.Cluster = connection.Broker.Cluster with
        {
            Topics = connection.Broker.Cluster.Topics.Remove(OffsetsTopic.Name),
        };
        FindCoordinatorResponse found = await connection.AskAsync(new FindCoordinatorRequest { Key = "g" }, 2);
        Assert.Equal(KafkaError.None, found.Error);
        Assert.True(connection.Broker.Cluster.Topics[OffsetsTopic.Name].Internal);
        Assert.Equal(16, connection.Broker.Cluster.Topics[OffsetsTopic.Name].Partitions.Length);
    }

    private static JoinGroupRequest Join(string memberId, int version) => new()
    {
        GroupId = "g",
        SessionTimeoutMs = 10_000,
        RebalanceTimeoutMs = version >= 1 ? 20_000 : -1,
        MemberId = memberId,
        ProtocolType = "consumer",
        Protocols = [new JoinGroupRequest.Protocol { Name = "range", Metadata = Subscription("orders") }],
    };

    private static byte[] Subscription(string topic)
    {
        using var writer = new KafkaWriter();
        writer.WriteInt16(1);
        new ConsumerProtocolSubscription { Topics = [topic] }.Write(writer, 1);
        return writer.ToArray();
    }

    private static async Task<JoinGroupResponse> JoinAsync(TestConnection connection, int version, string memberId)
    {
        TestResponse sent = connection.Send(Join(memberId, version), version);
        connection.Clock.Advance(10);
        connection.Broker.TickGroups();
        return await sent.ReadAsync<JoinGroupResponse>();
    }

    private static OffsetCommitRequest Commit(params (string Topic, int Partition, long Offset)[] offsets) => new()
    {
        GroupId = "g",
        GenerationId = -1,
        Topics = offsets.GroupBy(offset => offset.Topic).Select(topic => new OffsetCommitRequest.Topic
        {
            Name = topic.Key,
            Partitions = topic.Select(offset => new OffsetCommitRequest.Partition
            {
                Index = offset.Partition,
                CommittedOffset = offset.Offset,
                Metadata = "note",
            }).ToArray(),
        }).ToArray(),
    };

    private static OffsetFetchRequest Fetch(string group) => new()
    {
        GroupId = group,
        Topics = [new OffsetFetchRequest.Topic { Name = "orders", Partitions = [1, 0] }],
    };

    private static OffsetFetchRequest FetchGroups(string group) => new()
    {
        Groups =
        [
            new OffsetFetchRequest.Group
            {
                GroupId = group,
                Topics = [new OffsetFetchRequest.GroupTopic { Name = "orders", Partitions = [1, 0] }],
            },
        ],
    };
}
