using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Movement;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>Replicas move from node to node, while all runs and while it does not.</summary>
public sealed class MovementTests
{
    private readonly WholeCluster _cluster = WholeCluster.Started(5);
    private readonly GroupId _group;
    private int _stored;
    private bool _isCut;

    public MovementTests() => _group = Created("t", 3, 1, 2, 3).Group;

    [Fact]
    public void A_replica_moves_with_all_it_has_and_nothing_is_left_behind()
    {
        Store(3);
        Move(1, 2, 4);
        Settled(1, 2, 4);
        Store(1);

        Assert.Equal([1, 2, 4], Holders());
        Assert.Equal([1, 2, 4], FoldersOn());
        AllEqual();
    }

    [Fact]
    public void All_replicas_move_at_once_the_leader_too()
    {
        Store(2);
        Move(4, 5);
        Settled(4, 5);
        Store(2);

        Assert.Equal([4, 5], FoldersOn());
        _cluster.Until(() => _cluster.LeaderOf(_group)?.Id == new NodeId(4), "the preferred one leads");
        AllEqual();
    }

    [Fact]
    public void The_number_of_replicas_goes_down_to_one_and_up_again()
    {
        Store(1);
        Move(2);
        Settled(2);
        Store(1);
        Move(5, 4, 3, 2, 1);
        Settled(5, 4, 3, 2, 1);
        Store(1);

        Assert.Equal([1, 2, 3, 4, 5], FoldersOn());
        AllEqual();
    }

    [Fact]
    public void Who_left_comes_back_with_nothing_and_gets_it_all_again()
    {
        Store(2);
        Move(1, 2);
        Settled(1, 2);
        Assert.Equal([1, 2], FoldersOn());
        Store(2);
        Move(1, 2, 3);
        Settled(1, 2, 3);
        Store(1);
        AllEqual();

        // And it is still itself after a start.
        _cluster[3].Restart();
        _cluster.Until(() => _cluster[3].Broker.IsReady && _cluster.ReplicaOf(3, _group)?.Leader is not null, "node 3 is back");
        Store(1);
        AllEqual();
        Assert.Equal([1, 2, 3], FoldersOn());
    }

    [Fact]
    public void Two_that_left_and_came_back_empty_do_not_elect_each_other()
    {
        Store(2);
        Move(3, 4, 5);
        Settled(3, 4, 5);

        // Nodes 1 and 2, a majority of the first three, come back and hear nobody who has the log.
        _cluster.IsCut = (from, to, _) => (from.Value <= 2) != (to.Value <= 2) && _isCut;
        Move(1, 2, 3);
        _cluster.Until(() => _cluster[1].Parts.Shard.Find(_group) is not null && _cluster[2].Parts.Shard.Find(_group) is not null, "they are there");
        _isCut = true;
        _cluster.Pass(5_000);
        Assert.All([1, 2], n => Assert.NotEqual(Role.Leader, _cluster.ReplicaOf(n, _group).Role));
        _isCut = false;
        Settled(1, 2, 3);
        Store(1);
        AllEqual();
    }

    [Fact]
    public void A_cancelled_movement_goes_back_to_where_it_came_from()
    {
        _cluster[5].Kill();
        Store(1);
        Move(1, 2, 5);
        _cluster.Pass(1_000);
        Assert.True(Info().IsMoving);
        MovementStatus status = Assert.Single(Status());
        Assert.Equal((MovementPhase.CatchingUp, 5), (status.Phase, Assert.Single(status.Learners).Node.Value));
        Assert.True(status.Learners[0].EntriesLeft > 0);
        Store(1);

        Assert.Equal(AdminOutcome.Done, Ask(null).Outcome);
        Settled(1, 2, 3);
        Assert.Equal(AdminOutcome.NotMoving, Ask(null).Outcome);
        _cluster[5].Start();
        _cluster.Until(() => _cluster[5].Broker.IsReady, "node 5 is back");
        _cluster.Pass(1_000);
        Assert.Equal([1, 2, 3], FoldersOn());
    }

    [Fact]
    public void A_movement_takes_the_place_of_one_under_way()
    {
        _cluster[5].Kill();
        Move(1, 2, 5);
        _cluster.Pass(1_000);
        Move(1, 2, 4);
        Settled(1, 2, 4);
        Store(1);

        Assert.Equal([1, 2, 4], FoldersOn());
    }

    [Fact]
    public void A_node_that_was_away_gives_up_at_its_start_what_left_it()
    {
        Store(2);
        _cluster[3].Kill();
        Move(1, 2, 4);
        Settled(1, 2, 4);
        Assert.Contains(3, FoldersOn());

        _cluster[3].Start();
        _cluster.Until(() => !FoldersOn().Contains(3), "its files are gone");
    }

    [Fact]
    public void A_node_that_was_away_while_its_replica_left_and_came_back_keeps_it()
    {
        Store(2);
        _cluster[3].Kill();
        Move(1, 2, 4);
        Settled(1, 2, 4);
        Move(1, 2, 3);
        _cluster.Pass(500);
        _cluster[3].Start();
        Settled(1, 2, 3);
        Store(1);
        AllEqual();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_movement_goes_on_where_it_was_after_a_crash_at_any_time(int node)
    {
        for (int afterMs = 0; afterMs < 600; afterMs += 70)
        {
            Store(1);
            Move(1, 2, 4);
            _cluster.Pass(afterMs);
            _cluster[node].Restart();
            Settled(1, 2, 4);
            Move(3, 1, 2);
            _cluster.Pass(afterMs);
            _cluster[node].Restart();
            Settled(3, 1, 2);
        }

        Store(1);
        AllEqual();
        Assert.Equal([1, 2, 3], FoldersOn());
    }

    [Fact]
    public void A_topic_that_is_deleted_during_a_movement_leaves_nothing()
    {
        _cluster[5].Kill();
        Move(1, 2, 5);
        _cluster.Pass(300);
        Assert.Equal(AdminOutcome.Done, _cluster.Administer(_cluster[2], new AdminCommand.DeleteTopic("t", UInt128.Zero)).Outcome);
        _cluster[5].Start();
        _cluster.Until(() => FoldersOn().Length == 0 && _cluster[5].Broker.IsReady, "all files are gone");
    }

    [Fact]
    public void The_group_sleeps_again_after_a_movement()
    {
        Move(1, 2, 4);
        Settled(1, 2, 4);
        _cluster.Until(() => _cluster.LeaderOf(_group) is { } leader && leader.Parts.Shard.Find(_group)!.IsQuiet, "it is quiet");
    }

    [Fact]
    public void Fewer_replicas_than_must_be_in_sync_are_refused()
    {
        TopicInfo strict = _cluster.CreateTopic("strict", replicas: 3, configs: ("min.insync.replicas", "2"));

        AdminResult refused = _cluster.Administer(_cluster[1], new AdminCommand.Reassign("strict", 0, [strict.Partitions[0].Replicas[0].Node]));
        Assert.Equal(AdminOutcome.InvalidAssignment, refused.Outcome);
        Assert.Contains("min.insync.replicas", refused.Message!, StringComparison.Ordinal);
    }

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        Assert.Equal(AdminOutcome.InvalidAssignment, Ask([]).Outcome);
        Assert.Equal(AdminOutcome.InvalidAssignment, Ask([1, 1]).Outcome);
        Assert.Equal(AdminOutcome.InvalidAssignment, Ask([1, 9]).Outcome);
        Assert.Equal(AdminOutcome.NotMoving, Ask(null).Outcome);
        Assert.Equal(AdminOutcome.UnknownTopic, _cluster.Administer(_cluster[1], new AdminCommand.Reassign("no", 0, null)).Outcome);
        Assert.Equal(AdminOutcome.UnknownPartition, _cluster.Administer(_cluster[1], new AdminCommand.Reassign("t", 1, null)).Outcome);
        Assert.Equal((AdminOutcome.Done, false), (Ask([1, 2, 3]).Outcome, Info().IsMoving));
    }

    [Fact]
    public void No_more_than_so_many_replicas_are_filled_at_a_time()
    {
        int max = _cluster.Options.Limits.Movements;
        _cluster[5].Kill();
        PartitionInfo[] many = [.. Enumerable.Range(0, max + 2).Select(n => Created($"many{n}", 2, 1, 2))];
        foreach (string topic in many.Select((_, n) => $"many{n}"))
        {
            Assert.Equal(AdminOutcome.Done, _cluster.Administer(_cluster[1], new AdminCommand.Reassign(topic, 0, [new NodeId(1), new NodeId(5)])).Outcome);
        }

        _cluster.Pass(1_000);
        MovementStatus[] status = [.. Status()];
        Assert.Equal(max, status.Count(s => s.Phase == MovementPhase.CatchingUp));
        Assert.Equal(2, status.Count(s => s.Phase == MovementPhase.Waiting));

        _cluster[5].Start();
        _cluster.Until(() => many.All(p => !_cluster[1].Broker.Cluster.Topics.Values.SelectMany(t => t.Partitions).Single(i => i.Group == p.Group).IsMoving), "all moved");
    }

    private PartitionInfo Created(string name, int replicas, params int[] nodes)
    {
        AdminResult result = _cluster.Administer(_cluster[1], new AdminCommand.CreateTopic(
            name, 1, replicas, [[.. nodes.Select(n => new NodeId(n))]], ImmutableSortedDictionary<string, string>.Empty, ValidateOnly: false));
        Assert.True(result.Outcome == AdminOutcome.Done, result.ToString());
        PartitionInfo made = result.Topic!.Partitions[0];
        _cluster.Until(() => _cluster.LeaderOf(made.Group) is not null, $"{name} is led");
        return made;
    }

    private void Store(int batches)
    {
        for (int i = 0; i < batches; i++)
        {
            ProduceAnswer? answer = null;
            _cluster.Until(
                () =>
                {
                    if (_cluster.LeaderOf(_group) is { } leader && answer?.Outcome is null or not ProduceOutcome.Stored)
                    {
                        answer = _cluster.Produce(leader, _group, Batches.Plain(records: 2));
                        _cluster.Settle();
                    }

                    return answer?.Outcome == ProduceOutcome.Stored;
                },
                "it is stored");
            _stored += 2;
            Assert.Equal(_stored - 2, answer!.BaseOffset);
        }
    }

    private AdminResult Ask(int[]? nodes) => _cluster.Administer(
        _cluster.Nodes.First(n => n.IsUp),
        new AdminCommand.Reassign("t", 0, nodes is null ? null : [.. nodes.Select(n => new NodeId(n))]));

    private void Move(params int[] nodes)
    {
        AdminResult? result = null;
        _cluster.Until(() => (result = Ask(nodes)).Outcome is not (AdminOutcome.TimedOut or AdminOutcome.NotController), "asked", 40_000);
        Assert.True(result!.Outcome == AdminOutcome.Done, result.ToString());
    }

    private void Settled(params int[] nodes)
    {
        _cluster.Until(
            () => _cluster.Nodes.Where(n => n.IsUp).All(n => n.Broker.Cluster.Partition("t", 0) is { IsMoving: false } p
                && p.Replicas.Select(r => r.Node.Value).SequenceEqual(nodes)),
            "the movement is done", 30_000);
        _cluster.Until(() => _cluster.Nodes.Where(n => n.IsUp && !nodes.Contains(n.Id.Value)).All(n => n.Parts.Shard.Find(_group) is null), "who left is gone");
        _cluster.Pass(300);
    }

    private PartitionInfo Info() => _cluster[1].Broker.Cluster.Partition("t", 0)!;

    private IEnumerable<MovementStatus> Status()
    {
        List<MovementStatus> all = [];
        foreach (ClusterNode node in _cluster.Nodes.Where(n => n.IsUp))
        {
            node.Broker.CollectStatus(status => all.AddRange(status.Movements));
        }

        _cluster.Settle();
        return all;
    }

    private int[] Holders() => [.. _cluster.Nodes.Where(n => n.IsUp && n.Parts.Shard.Find(_group) is not null).Select(n => n.Id.Value)];

    private int[] FoldersOn() =>
        [.. _cluster.Nodes.Where(n => n.Medium.Files.Any(f => f.StartsWith("groups/t-0", StringComparison.Ordinal))).Select(n => n.Id.Value)];

    private void AllEqual()
    {
        _cluster.Until(
            () => Holders().All(n => ((Partition)_cluster.ReplicaOf(n, _group).Machine).State.HighWatermark == _stored), "all have it all");
    }
}
