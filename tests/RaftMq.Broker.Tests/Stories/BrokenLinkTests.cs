using RaftMq.Broker.Controller;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>Some nodes do not hear each other while others hear both: leadership goes to where all are heard, and nowhere else.</summary>
public sealed class BrokenLinkTests
{
    /// <summary>Silence that is noticed, a link that is broken for long enough, others' verdicts, a look each second, the hand-over.</summary>
    private const int HandedOverMs = 4_500;

    private static readonly BrokerOptions Options = new() { OffsetsPartitions = 1, LeaderBalanceDelay = TimeSpan.FromSeconds(5) };

    private readonly HashSet<(NodeId From, NodeId To)> _cut = [];

    public enum Broken
    {
        There,
        Back,
        Both,
    }

    [Theory]
    [InlineData(Broken.There)]
    [InlineData(Broken.Back)]
    [InlineData(Broken.Both)]
    public void A_controller_that_a_live_node_does_not_reach_moves_to_where_all_are_heard(Broken broken)
    {
        WholeCluster cluster = Started(3);
        ClusterNode leader = ControllerOf(cluster)!;
        ClusterNode[] others = [.. cluster.Nodes.Where(node => node != leader)];
        others[0].Kill();
        Break(leader, others[0], broken);
        others[0].Start();

        // The one in the middle leads, so the one that came back is registered and learns what it missed.
        cluster.Until(() => ControllerOf(cluster) == others[1] && others[0].Broker.IsReady, "it is registered", HandedOverMs + 3_000);

        ClusterNode next = others[1];
        Term term = cluster.ReplicaOf(next.Id.Value, next.Parts.Shard.All.Single(r => r.Name.ToString() == "controller").Group).Term;
        cluster.Pass(30_000);
        Assert.Equal(next, ControllerOf(cluster));
        Assert.Equal(term, cluster.ReplicaOf(next.Id.Value, next.Parts.Shard.All.Single(r => r.Name.ToString() == "controller").Group).Term);
    }

    [Theory]
    [InlineData(Broken.There)]
    [InlineData(Broken.Back)]
    [InlineData(Broken.Both)]
    public void A_partition_goes_to_the_replica_that_reaches_all_and_comes_back_when_that_is_over(Broken broken)
    {
        WholeCluster cluster = Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode[] others = [.. cluster.Nodes.Where(node => node != leader)];
        cluster.Pass(2_000);
        Break(leader, others[0], broken);
        cluster.Until(() => cluster.LeaderOf(group) == others[1], "the other one leads", HandedOverMs);
        Assert.Contains(leader.Events, e => e.Name == "LinkBroken" && e.Text.Contains($"this node and {others[0].Id.Value} ", StringComparison.Ordinal));
        Assert.Equal(1, StatusOf(cluster, leader).LinksBroken);
        Assert.Equal(0, StatusOf(cluster, others[1]).LinksBroken);

        // It stays the preferred leader, and does not lead meanwhile, not for a moment.
        Term term = cluster.ReplicaOf(others[1].Id.Value, group).Term;
        cluster.Pass(20_000);
        Assert.Equal(term, cluster.ReplicaOf(others[1].Id.Value, group).Term);

        _cut.Clear();
        cluster.Until(() => cluster.LeaderOf(group) == leader, "it leads again");
        Assert.Contains(leader.Events, e => e.Name == "LinksWhole");
        Assert.Equal(0, StatusOf(cluster, leader).LinksBroken);
    }

    /// <summary>Seed 179538366265300876 at 5008bb9.</summary>
    [Fact]
    public void One_that_is_being_drained_leads_where_no_other_reaches_all()
    {
        WholeCluster cluster = Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode[] others = [.. cluster.Nodes.Where(node => node != leader)];
        cluster.Pass(2_000);
        Assert.Equal(AdminOutcome.Done, cluster.Administer(leader, new AdminCommand.DrainNode(others[1].Id, Cancel: false)).Outcome);
        cluster.Pass(2_000);
        Assert.Equal(leader, cluster.LeaderOf(group));

        Break(leader, others[0], Broken.Both);
        cluster.Until(() => cluster.LeaderOf(group) == others[1], "the one that is drained leads", HandedOverMs);

        // It has nobody to hand over to who reaches as many.
        Term term = cluster.ReplicaOf(others[1].Id.Value, group).Term;
        cluster.Pass(20_000);
        Assert.Equal(term, cluster.ReplicaOf(others[1].Id.Value, group).Term);

        _cut.Clear();
        cluster.Until(() => cluster.LeaderOf(group) != others[1], "it hands over once others reach as many");
    }

    [Fact]
    public void A_group_without_a_replica_on_the_node_that_is_missed_stays()
    {
        WholeCluster cluster = Started(4);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 4);
        cluster.Pass(10_000);
        ClusterNode leader = cluster[1];
        PartitionInfo led = topic.Partitions.First(p => cluster.LeaderOf(p.Group) == leader);
        ClusterNode missed = cluster.Nodes.Single(node => !led.Replicas.Any(r => r.Node == node.Id));
        PartitionInfo[] shared = [.. topic.Partitions.Where(p => p.IsPlacedOn(leader.Parts.Shard.Context.Self.Replica) && p.IsPlacedOn(missed.Parts.Shard.Context.Self.Replica))];
        Assert.NotEmpty(shared);
        Term term = cluster.ReplicaOf(leader.Id.Value, led.Group).Term;

        Break(leader, missed, Broken.Both);
        cluster.Until(() => shared.All(p => cluster.LeaderOf(p.Group) is { } by && by != leader && by != missed), "others lead what both have", HandedOverMs + 1_000);
        cluster.Pass(10_000);

        Assert.Equal(leader, cluster.LeaderOf(led.Group));
        Assert.Equal(term, cluster.ReplicaOf(leader.Id.Value, led.Group).Term);
    }

    [Fact]
    public void Where_no_replica_reaches_more_nothing_moves()
    {
        WholeCluster cluster = Started(5);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 5, replicas: 5);
        cluster.Pass(10_000);
        Dictionary<GroupId, (ClusterNode? Leader, Term Term)> before = LedBy(cluster, topic);

        // A ring: each reaches its neighbours, which is a majority with itself.
        for (int i = 0; i < 5; i++)
        {
            Break(cluster.Nodes[i], cluster.Nodes[(i + 2) % 5], Broken.Both);
        }

        cluster.Pass(20_000);

        Assert.Equal(before, LedBy(cluster, topic));
        Assert.All(cluster.Nodes, node => Assert.Equal(2, StatusOf(cluster, node).LinksBroken));
    }

    [Fact]
    public void A_node_that_is_down_moves_nothing_that_it_does_not_lead()
    {
        WholeCluster cluster = Started(3);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 3);
        cluster.Pass(10_000);
        ClusterNode down = cluster[3];
        Dictionary<GroupId, (ClusterNode? Leader, Term Term)> before = LedBy(cluster, topic, but: down);
        down.Kill();
        cluster.Pass(5_000);
        down.Start();
        cluster.Pass(5_000);

        Assert.Equal(before, LedBy(cluster, topic).Where(led => before.ContainsKey(led.Key)));
        Assert.All(cluster.Nodes, node => Assert.DoesNotContain(node.Events, e => e.Name == "LinkBroken"));
    }

    [Fact]
    public void A_machine_that_waits_to_join_misses_nobody_though_nobody_says_that_it_is_heard()
    {
        WholeCluster cluster = Started(3);
        ClusterNode machine = cluster.AddMachine(4, 1, 2, 3);
        machine.Start();
        cluster.Pass(5_000);
        Assert.Equal(AdminOutcome.Done, cluster.Administer(cluster[1], new AdminCommand.ExpectNode(machine.Id)).Outcome);
        cluster.Until(() => machine.Broker.IsReady, "it is of the cluster");
        cluster.Pass(5_000);

        Assert.All(cluster.Nodes, node => Assert.DoesNotContain(node.Events, e => e.Name == "LinkBroken"));
    }

    [Fact]
    public void A_link_that_comes_and_goes_moves_leadership_ever_more_seldom()
    {
        WholeCluster cluster = Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode other = cluster.Nodes.First(node => node != leader);
        cluster.Pass(2_000);
        Term term = cluster.ReplicaOf(leader.Id.Value, group).Term;

        // Broken for long enough to leave, and whole for long enough to come back: the first times it does.
        for (int times = 0; times < 20; times++)
        {
            Break(leader, other, Broken.Both);
            cluster.Pass(6_000);
            _cut.Clear();
            cluster.Pass(12_000);
        }

        int moves = cluster.ReplicaOf(cluster.LeaderOf(group)!.Id.Value, group).Term.Value - term.Value;
        Assert.InRange(moves, 2, 8);
    }

    [Fact]
    public void A_node_that_misses_nobody_takes_over_before_one_that_does()
    {
        WholeCluster cluster = Started(4);
        TopicInfo topic = cluster.CreateTopic("t", replicas: 4);
        GroupId group = topic.Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode[] others = [.. cluster.Nodes.Where(node => node != leader)];
        Break(others[0], others[1], Broken.Both);
        cluster.Pass(5_000);
        Assert.Equal(leader, cluster.LeaderOf(group));

        leader.Broker.BeginDrain();
        cluster.Until(() => cluster.LeaderOf(group) is { } next && next != leader, "another leads", 2_000);

        Assert.Equal(others[2], cluster.LeaderOf(group));
    }

    [Fact]
    public void A_wished_leader_that_misses_more_gets_its_leadership_once_it_does_not()
    {
        WholeCluster cluster = Started(3);
        TopicInfo topic = cluster.CreateTopic("t");
        GroupId group = topic.Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode[] others = [.. cluster.Nodes.Where(node => node != leader)];
        Break(others[0], others[1], Broken.Both);
        cluster.Pass(5_000);

        AdminResult result = cluster.Administer(leader, new AdminCommand.TransferLeadership("t", 0, others[0].Id), deadlineMs: 5_000);
        Assert.Equal(AdminOutcome.TimedOut, result.Outcome);
        Assert.Equal(leader, cluster.LeaderOf(group));

        _cut.Clear();
        cluster.Until(() => cluster.LeaderOf(group) == others[0], "it leads", LeadsAgainMs);
    }

    /// <summary>A link counts for two seconds longer; then the next look.</summary>
    private const int LeadsAgainMs = 4_500;

    private WholeCluster Started(int nodes)
    {
        WholeCluster cluster = WholeCluster.Started(nodes, Options);
        cluster.IsCut = (from, to, _) => _cut.Contains((from, to));
        cluster.Pass(2_000);
        return cluster;
    }

    private void Break(ClusterNode one, ClusterNode other, Broken broken)
    {
        if (broken != Broken.Back)
        {
            _cut.Add((one.Id, other.Id));
        }

        if (broken != Broken.There)
        {
            _cut.Add((other.Id, one.Id));
        }
    }

    private static ClusterNode? ControllerOf(WholeCluster cluster) => cluster.Nodes
        .FirstOrDefault(node => node.IsUp && node.Parts.Shard.All.Any(r => r.Machine is ControllerMachine && r.IsServing));

    private static NodeStatus StatusOf(WholeCluster cluster, ClusterNode node)
    {
        NodeStatus? status = null;
        node.Broker.CollectStatus(taken => status = taken);
        cluster.Settle();
        return status!;
    }

    private static Dictionary<GroupId, (ClusterNode? Leader, Term Term)> LedBy(WholeCluster cluster, TopicInfo topic, ClusterNode? but = null)
    {
        var led = new Dictionary<GroupId, (ClusterNode? Leader, Term Term)>();
        foreach (PartitionInfo partition in topic.Partitions)
        {
            ClusterNode? leader = cluster.LeaderOf(partition.Group);
            if (leader is not null && leader != but)
            {
                led.Add(partition.Group, (leader, cluster.ReplicaOf(leader.Id.Value, partition.Group).Term));
            }
        }

        return led;
    }
}
