using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>Placement is made even on request, while all runs and while it does not.</summary>
public sealed class BalanceTests
{
    private const int MovesMax = 2;

    private readonly WholeCluster _cluster = WholeCluster.Started(
        3, new BrokerOptions { OffsetsPartitions = 1, Limits = new BrokerLimits { Movements = MovesMax } });

    private readonly TopicInfo _topic;

    /// <summary>Twelve partitions on three nodes, and a fourth one that has nothing.</summary>
    public BalanceTests()
    {
        _topic = _cluster.CreateTopic("t", partitions: 12, replicas: 3);
        Done(new AdminCommand.ExpectNode(new NodeId(4)));
        _cluster.AddMachine(4, 1).Start();
        _cluster.Until(() => _cluster[4].Broker.IsReady && Image(4).Nodes.Values.All(n => n.Alive), "node 4 is there");
    }

    [Fact]
    public void An_empty_node_gets_its_part_a_few_at_a_time()
    {
        Store(0);
        Assert.Equal(9, Image().BalancePlan.Sum(m => m.Copies.Count()));
        Assert.Empty(Image().BalanceObstacles);
        Done(new AdminCommand.Balance(Cancel: false));
        Assert.Contains("under way already", Refused(), StringComparison.Ordinal);
        int atOnce = 0;
        _cluster.Until(
            () =>
            {
                atOnce = Math.Max(atOnce, Image().Topics.Values.Sum(t => t.Partitions.Count(p => p.IsMoving)));
                return !Image().IsBalancing;
            },
            "it is over", withinMs: 60_000);

        Assert.Equal(MovesMax, atOnce);
        AssertEven();
        Assert.Single(_cluster.Nodes.SelectMany(n => n.Events), e => e.Kind == NodeEventKind.BalanceEnded);
        Store(1);
        _cluster.Until(
            () => Image().Topics.Values.All(t => t.Partitions.All(p => _cluster.LeaderOf(p.Group)?.Id == p.Replicas[0].Node)), "who is preferred leads");
        _cluster.Pass(2_000);
        Assert.Equal(
            Image().ReplicasOn(new NodeId(4)), _cluster[4].Parts.Shard.Replicas.Values.Count(r => r.Name is GroupName.Partition));
        Done(new AdminCommand.Balance(Cancel: false));
        Assert.False(Image().IsBalancing);
    }

    [Fact]
    public void It_goes_on_under_the_next_leader_of_the_controller_once_all_nodes_are_back()
    {
        Done(new AdminCommand.Balance(Cancel: false));
        _cluster.Until(() => Image().ReplicasOn(new NodeId(4)) >= 3, "it is under way");
        ClusterNode led = ControllerLeader();
        led.Kill();
        int other = led.Id.Value == 1 ? 2 : 1;
        _cluster.Until(() => _cluster.Nodes.Any(n => n.IsUp && n != led && LeadsController(n)), "another one leads");
        _cluster.Pass(5_000);
        Assert.True(Image(other).IsBalancing);
        Assert.Contains(Image(other).BalanceObstacles, o => o.StartsWith($"node {led.Id.Value} is down", StringComparison.Ordinal));
        int before = Image(other).ReplicasOn(new NodeId(4));
        _cluster.Pass(5_000);
        Assert.Equal(before, Image(other).ReplicasOn(new NodeId(4)));

        led.Start();
        _cluster.Until(() => !Image(other).IsBalancing, "it is over", withinMs: 60_000);
        AssertEven();
    }

    [Fact]
    public void A_balance_that_is_stopped_begins_no_more()
    {
        Done(new AdminCommand.Balance(Cancel: false));
        _cluster.Until(() => Image().ReplicasOn(new NodeId(4)) >= 3, "it is under way");
        Done(new AdminCommand.Balance(Cancel: true));
        Assert.False(Image().IsBalancing);
        int begun = Image().ReplicasOn(new NodeId(4));
        _cluster.Until(() => !Image().Topics.Values.Any(t => t.Partitions.Any(p => p.IsMoving)), "what was under way ends");
        _cluster.Pass(5_000);

        Assert.Equal(begun, Image().ReplicasOn(new NodeId(4)));
        Assert.NotEmpty(Image().BalancePlan);
    }

    [Fact]
    public void A_drain_that_begins_meanwhile_goes_first_and_what_is_drained_gets_nothing()
    {
        Done(new AdminCommand.Balance(Cancel: false));
        _cluster.Until(() => Image().ReplicasOn(new NodeId(4)) >= 3, "it is under way");
        Done(new AdminCommand.DrainNode(new NodeId(4), Cancel: false));
        _cluster.Until(() => Image().StateOf(new NodeId(4)) == "drained", "node 4 is empty again", withinMs: 60_000);
        _cluster.Until(() => !Image().IsBalancing, "it is over", withinMs: 60_000);

        Assert.Equal(0, Image().ReplicasOn(new NodeId(4)));
        int[] leads = [.. Enumerable.Range(1, 3).Select(n => _topic.Partitions.Count(p => Now(p).Replicas[0].Node.Value == n))];
        Assert.Equal([4, 4, 4], leads);
    }

    private ClusterImage Image(int node = 1) => _cluster[node].Broker.Cluster;

    private PartitionInfo Now(PartitionInfo partition) => Image().Topics[_topic.Name].Partitions[partition.Number];

    private ClusterNode ControllerLeader() => _cluster.Nodes.First(LeadsController);

    private static bool LeadsController(ClusterNode node) =>
        node.IsUp && node.Parts.Shard.Replicas.Values.Any(r => r.Name is GroupName.Controller && r is { IsLeader: true, IsServing: true });

    private void AssertEven()
    {
        ClusterImage image = Image();
        int[] replicas = [.. Enumerable.Range(1, 4).Select(n => image.ReplicasOn(new NodeId(n)))];
        int[] leaders = [.. Enumerable.Range(1, 4).Select(n => image.Topics.Values.Sum(t => t.Partitions.Count(p => p.Replicas[0].Node.Value == n)))];
        Assert.True(replicas.Max() - replicas.Min() <= 1, string.Join(' ', replicas));
        Assert.True(leaders.Max() - leaders.Min() <= 1, string.Join(' ', leaders));
        Assert.Empty(image.BalancePlan);
    }

    private void Store(int sequence)
    {
        foreach (PartitionInfo partition in _topic.Partitions)
        {
            ProduceAnswer? answer = null;
            _cluster.Until(
                () =>
                {
                    if (answer?.Outcome is null or not ProduceOutcome.Stored)
                    {
                        answer = answer is { Outcome: null } ? answer : _cluster.LeaderOf(partition.Group) is { } leader
                            ? _cluster.Produce(leader, partition.Group, Batches.Idempotent(partition.Number + 1, sequence))
                            : null;
                    }

                    return answer?.Outcome == ProduceOutcome.Stored;
                },
                $"batch {sequence} in {partition.Number}");
            Assert.Equal(sequence, answer!.BaseOffset);
        }
    }

    private void Done(AdminCommand command)
    {
        AdminResult result = _cluster.Administer(_cluster[1].IsUp ? _cluster[1] : _cluster[2], command);
        Assert.True(result.Outcome == AdminOutcome.Done, result.ToString());
    }

    private string Refused()
    {
        AdminResult result = _cluster.Administer(_cluster[1], new AdminCommand.Balance(Cancel: false));
        Assert.Equal(AdminOutcome.Refused, result.Outcome);
        return result.Message!;
    }
}
