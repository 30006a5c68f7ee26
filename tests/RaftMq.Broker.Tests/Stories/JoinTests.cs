using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>Nodes come into a cluster and leave it.</summary>
public sealed class JoinTests
{
    [Fact]
    public void An_expected_node_joins_by_a_seed_that_does_not_lead_and_takes_replicas()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        int seed = cluster.Nodes.First(n => n.Id != cluster[1].Broker.Cluster.ControllerLeader).Id.Value;
        Done(cluster, new AdminCommand.ExpectNode(new NodeId(4)));
        cluster.AddMachine(4, seed).Start();

        cluster.Until(() => cluster[4].Broker.IsReady, "node 4 is ready");

        Assert.Equal(4, cluster[1].Broker.Cluster.Nodes.Count);
        Assert.Empty(cluster[1].Broker.Cluster.Expected);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 4, replicas: 3);
        Assert.Contains(topic.Partitions, p => p.Replicas.Any(r => r.Node.Value == 4));
        cluster.Until(
            () => topic.Partitions.Where(p => p.Replicas[0].Node.Value == 4).All(p => cluster.LeaderOf(p.Group)?.Id.Value == 4), "4 leads");
        Assert.Equal([1, 2, 3], cluster[4].Broker.Cluster.ControllerVoters.Select(n => n.Value));
    }

    [Fact]
    public void A_node_that_nobody_expects_waits_and_says_why()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        ClusterNode fourth = cluster.AddMachine(4, 1, 2, 3);
        fourth.Start();
        cluster.Until(() => fourth.Broker.NotReadyBecause?.Contains("node add", StringComparison.Ordinal) == true, "it is told");
        cluster.Pass(3_000);

        Assert.Contains("raftmq node add 4", fourth.Broker.NotReadyBecause, StringComparison.Ordinal);
        Assert.Null(fourth.Broker.RefusedByCluster);
        Assert.Single(fourth.Events, e => e.Kind == NodeEventKind.WaitsToJoin);
        Assert.Empty(fourth.Parts.Shard.Replicas);
        Assert.Equal(3, cluster[1].Broker.Cluster.Nodes.Count);

        Done(cluster, new AdminCommand.ExpectNode(new NodeId(4)));
        cluster.Until(() => fourth.Broker.IsReady, "it is taken in");
    }

    [Fact]
    public void It_joins_however_often_it_dies_on_the_way()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        Done(cluster, new AdminCommand.ExpectNode(new NodeId(4)));
        ClusterNode fourth = cluster.AddMachine(4, 2);
        for (int ms = 0; ms <= 1_000; ms += 40)
        {
            fourth.Start();
            cluster.Pass(ms);
            fourth.Kill();
            cluster.Pass(50);
        }

        fourth.Start();
        cluster.Until(() => fourth.Broker.IsReady, "node 4 is ready");
    }

    [Fact]
    public void An_emptied_node_stays_out_until_it_is_removed_and_added_as_new()
    {
        WholeCluster cluster = WholeCluster.Started(4);
        ClusterNode wiped = cluster[4];
        wiped.Kill();
        wiped.Medium = new MemoryDisk();
        wiped.Settings = wiped.Settings with { InitialNodes = [], Seeds = [new NodeId(1), new NodeId(2)] };
        Assert.Contains("already", Refused(cluster, new AdminCommand.ExpectNode(new NodeId(4))), StringComparison.Ordinal);
        wiped.Start();
        cluster.Until(() => wiped.Broker.RefusedByCluster is not null, "it is refused");
        Assert.Contains("another folder", wiped.Broker.RefusedByCluster, StringComparison.Ordinal);
        wiped.Kill();
        cluster.Pass(2_000);

        AssertEmpty(cluster, 4);
        Done(cluster, new AdminCommand.RemoveNode(new NodeId(4), Lost: true));
        cluster.Until(() => !cluster[1].Broker.Cluster.Nodes.ContainsKey(new NodeId(4)), "it is removed");
        Done(cluster, new AdminCommand.ExpectNode(new NodeId(4)));
        wiped.Start();

        cluster.Until(() => wiped.Broker.IsReady, "it joins as new");
        Assert.True(cluster[1].Parts.Cluster.IsAlive(new NodeId(4)));
        Assert.True(cluster[1].Broker.Cluster.Nodes[new NodeId(4)].Alive);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_drained_node_leaves_and_its_folder_never_comes_back(bool itLeadsTheController)
    {
        WholeCluster cluster = WholeCluster.Started(5);
        AssertEmpty(cluster, 5);
        ClusterNode goes = cluster[5];
        ClusterNode stays = cluster[1];
        GroupId controller = goes.Parts.Shard.Replicas.Values.Single(r => r.Name is GroupName.Controller).Group;
        if (itLeadsTheController != (cluster.LeaderOf(controller) == goes))
        {
            ClusterNode leads = cluster.LeaderOf(controller)!;
            leads.Parts.Shard.Find(controller)!.TransferLeadership(itLeadsTheController ? goes.Id : stays.Id);
            cluster.Until(() => (cluster.LeaderOf(controller) == goes) == itLeadsTheController, "leadership is where it should be");
        }

        Done(cluster, new AdminCommand.DrainNode(goes.Id, Cancel: false));
        cluster.Until(() => cluster.LeaderOf(controller) is { } leader && leader != goes, "it does not lead");
        Done(cluster, new AdminCommand.RemoveNode(goes.Id, Lost: false), stays);

        cluster.Until(() => goes.Broker.RefusedByCluster is not null, "it is told");
        Assert.Contains("was removed", goes.Broker.RefusedByCluster, StringComparison.Ordinal);
        Assert.DoesNotContain(goes.Id, stays.Broker.Cluster.Nodes.Keys);
        Assert.Contains(stays.Broker.Cluster.Removed, r => r.Node == goes.Id);
        Assert.Equal(3, stays.Broker.Cluster.ControllerVoters.Length);
        Assert.Single(cluster.Nodes.SelectMany(n => n.Events), e => e.Kind == NodeEventKind.NodeRemoved);

        goes.Restart();
        cluster.Until(() => goes.Broker.RefusedByCluster is not null, "it is told again");
        goes.Kill();
        goes.Medium = new MemoryDisk();
        goes.Settings = goes.Settings with { InitialNodes = [], Seeds = [stays.Id] };
        Done(cluster, new AdminCommand.ExpectNode(goes.Id), stays);
        goes.Start();
        cluster.Until(() => goes.Broker.IsReady, "its number is back with another folder");
        cluster.Until(() => stays.Broker.Cluster.ControllerVoters.Length == 5, "five vote again");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_node_that_is_removed_before_it_heard_of_the_clusters_state_is_told(bool restarts)
    {
        WholeCluster cluster = WholeCluster.Started(3);
        Done(cluster, new AdminCommand.ExpectNode(new NodeId(4)));
        ClusterNode fourth = cluster.AddMachine(4, 1);
        cluster.Alter = (_, to, message) => to == fourth.Id && message is PeerMessage.ForGroup ? null : message;
        fourth.Start();
        cluster.Until(() => cluster[1].Broker.Cluster.Nodes.ContainsKey(fourth.Id), "it is registered");
        cluster.Until(() => fourth.Parts.Shard.Replicas.Count == 1, "it waits for the controller's log");

        Done(cluster, new AdminCommand.RemoveNode(fourth.Id, Lost: false));
        cluster.Until(() => !cluster[1].Broker.Cluster.Nodes.ContainsKey(fourth.Id), "it is removed");
        if (restarts)
        {
            fourth.Restart();
        }

        cluster.Until(() => fourth.Broker.RefusedByCluster is not null, "it is told");
        Assert.Contains("was removed", fourth.Broker.RefusedByCluster, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_but_one_node_leaves()
    {
        WholeCluster cluster = WholeCluster.Started(2, new BrokerOptions { OffsetsPartitions = 1, DefaultReplicationFactor = 1 });
        ClusterNode goes = cluster.Nodes.Single(n => n.Id != cluster[1].Broker.Cluster.Topics.Values.Single().Partitions[0].Replicas[0].Node);
        ClusterNode stays = cluster.Nodes.Single(n => n != goes);
        Done(cluster, new AdminCommand.RemoveNode(goes.Id, Lost: false));

        cluster.Until(() => goes.Broker.RefusedByCluster is not null, "it is told");
        goes.Kill();
        cluster.Until(() => stays.Broker.Cluster.Nodes.Count == 1 && stays.Broker.Cluster.ControllerLeader == stays.Id, "one is left");
        Assert.Equal(AdminOutcome.Done, Create(cluster, stays, "t").Outcome);
    }

    /// <summary>Whose cluster forms at that moment says with whom, and a node that comes later is not among them.</summary>
    [Fact]
    public void A_node_that_comes_while_the_cluster_forms_waits()
    {
        var cluster = new WholeCluster(3);
        ClusterNode late = cluster.AddMachine(4, 1, 2, 3);
        late.Start();
        foreach (ClusterNode node in cluster.Nodes.Where(n => n != late))
        {
            node.Start();
        }

        var formed = new SortedDictionary<int, ReplicaId>();
        foreach (ClusterNode node in cluster.Nodes.Where(n => n != late))
        {
            formed[node.Id.Value] = node.Parts.Shard.Context.Self.Replica;
        }

        ReplicaId[] voters = [.. formed.Values];
        WholeCluster.Inject(
            new PeerSender(voters[0], new BootNumber(1)), late,
            new PeerMessage.Formation(FormedCluster.Of(voters).ControllerGroup, voters));
        cluster.Until(() => late.Broker.NotReadyBecause?.Contains("node add", StringComparison.Ordinal) == true, "it waits");
        Assert.Null(late.Broker.RefusedByCluster);
        Done(cluster, new AdminCommand.ExpectNode(late.Id));
        cluster.Until(() => late.Broker.IsReady, "it joins");
    }

    /// <summary>A lagging node knows the number by its old folder still; only the controller's leader refuses.</summary>
    [Fact]
    public void A_node_that_meets_one_that_lags_is_not_refused_by_it()
    {
        WholeCluster cluster = WholeCluster.Started(5);
        AssertEmpty(cluster, 5);
        ClusterNode again = cluster[5];
        ClusterNode lags = cluster.Nodes.First(n => n != again && n.Id != cluster[1].Broker.Cluster.ControllerLeader);
        ClusterNode other = cluster.Nodes.First(n => n != again && n != lags);
        again.Kill();
        again.Medium = new MemoryDisk();
        cluster.Pass(2_000);
        cluster.IsCut = (from, to, _) => (from == lags.Id || to == lags.Id) && from != again.Id && to != again.Id;
        Done(cluster, new AdminCommand.RemoveNode(again.Id, Lost: true), other);
        cluster.Until(() => !other.Broker.Cluster.Nodes.ContainsKey(again.Id), "it is removed");
        Done(cluster, new AdminCommand.ExpectNode(again.Id), other);
        Assert.Contains(again.Id, lags.Broker.Cluster.Nodes.Keys);

        again.Settings = again.Settings with { InitialNodes = [], Seeds = [lags.Id] };
        again.Start();
        cluster.Pass(2_000);
        Assert.Null(again.Broker.RefusedByCluster);
        cluster.IsCut = static (_, _, _) => false;
        cluster.Until(() => again.Broker.IsReady, "it joins");
    }

    [Fact]
    public void A_node_full_of_replicas_is_drained_and_removed_while_clients_write()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 6, replicas: 3);
        Produce(cluster, topic, sequence: 0);
        Done(cluster, new AdminCommand.ExpectNode(new NodeId(4)));
        cluster.AddMachine(4, 1).Start();
        cluster.Until(() => cluster[4].Broker.IsReady, "node 4 is ready");
        Done(cluster, new AdminCommand.DrainNode(new NodeId(1), Cancel: false));
        int written = 1;
        cluster.Until(
            () =>
            {
                Produce(cluster, topic, written++);
                return cluster[2].Broker.Cluster.StateOf(new NodeId(1)) == "drained";
            },
            "it is drained", withinMs: 60_000);

        Assert.DoesNotContain(cluster[1].Parts.Shard.Replicas.Values, r => r.Name is GroupName.Partition);
        Assert.Contains(cluster.Nodes.SelectMany(n => n.Events), e => e.Kind == NodeEventKind.NodeDrained);
        cluster.Until(() => !cluster[2].Broker.Cluster.ControllerVoters.Contains(new NodeId(1)), "another one votes");
        Done(cluster, new AdminCommand.RemoveNode(new NodeId(1), Lost: false), cluster[2]);
        cluster.Until(() => cluster[1].Broker.RefusedByCluster is not null, "it is told");
        cluster[1].Kill();
        Produce(cluster, topic, written);
        Assert.All(topic.Partitions, p => Assert.Equal(written + 1, HighWatermark(cluster, p)));
    }

    [Fact]
    public void A_dead_node_is_replaced_by_another_with_its_number()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 4, replicas: 3);
        Produce(cluster, topic, sequence: 0);
        cluster[3].Kill();
        cluster.Pass(2_000);
        Assert.Contains("holds", Refused(cluster, new AdminCommand.RemoveNode(new NodeId(3), Lost: false)), StringComparison.Ordinal);
        Done(cluster, new AdminCommand.RemoveNode(new NodeId(3), Lost: true));
        cluster.Pass(2_000);
        Assert.Equal("leaving", cluster[1].Broker.Cluster.StateOf(new NodeId(3)));
        Assert.Contains(cluster[1].Broker.Cluster.DrainObstacles, o => o.Contains("t/0 stays on node 3: no other node takes", StringComparison.Ordinal));
        Done(cluster, new AdminCommand.ExpectNode(new NodeId(4)));
        cluster.AddMachine(4, 1, 2).Start();

        cluster.Until(() => !cluster[1].Broker.Cluster.Nodes.ContainsKey(new NodeId(3)), "it is removed", withinMs: 60_000);
        Assert.Empty(cluster[1].Broker.Cluster.DrainObstacles);
        cluster.Until(() => cluster[1].Broker.Cluster.ControllerVoters.Length == 3, "three vote");
        Produce(cluster, topic, sequence: 1);
        Assert.All(topic.Partitions, p => Assert.Equal(2, HighWatermark(cluster, p)));

        cluster[3].Start();
        cluster.Until(() => cluster[3].Broker.RefusedByCluster is not null, "the old one is told");
    }

    [Fact]
    public void A_drain_that_is_cancelled_leaves_a_node_that_serves()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 3, replicas: 3);
        Done(cluster, new AdminCommand.DrainNode(new NodeId(2), Cancel: false));
        cluster.Until(() => topic.Partitions.All(p => cluster.LeaderOf(p.Group) is { } l && l.Id.Value != 2), "it leads nothing");
        Assert.Equal("draining", cluster[1].Broker.Cluster.StateOf(new NodeId(2)));

        Done(cluster, new AdminCommand.DrainNode(new NodeId(2), Cancel: true));
        cluster.Until(() => topic.Partitions.Any(p => cluster.LeaderOf(p.Group)?.Id.Value == 2), "it leads again");
        Assert.Equal("serving", cluster[1].Broker.Cluster.StateOf(new NodeId(2)));
    }

    private static void Produce(WholeCluster cluster, TopicInfo topic, int sequence)
    {
        foreach (PartitionInfo partition in topic.Partitions)
        {
            ProduceAnswer? answer = null;
            cluster.Until(
                () =>
                {
                    if (answer?.Outcome == ProduceOutcome.Stored)
                    {
                        return true;
                    }

                    if (answer?.Outcome is not null || answer is null)
                    {
                        answer = cluster.LeaderOf(partition.Group) is { } leader ? cluster.Produce(leader, partition.Group, Batches.Idempotent(partition.Number + 1, sequence)) : null;
                    }

                    return false;
                },
                $"batch {sequence} in {partition.Number}");
        }
    }

    private static long HighWatermark(WholeCluster cluster, PartitionInfo partition)
    {
        cluster.Until(() => cluster.LeaderOf(partition.Group) is not null, "it is led");
        return ((Partition)cluster.LeaderOf(partition.Group)!.Parts.Shard.Find(partition.Group)!.Machine).State.HighWatermark;
    }

    /// <summary>Nothing was placed there.</summary>
    private static void AssertEmpty(WholeCluster cluster, int node)
    {
        ClusterImage image = cluster.Nodes.First(n => n.IsUp && n.Id.Value != node).Broker.Cluster;
        Assert.All(image.Topics.Values, t => Assert.All(t.Partitions, p => Assert.DoesNotContain(p.Replicas, r => r.Node.Value == node)));
    }

    private static AdminResult Create(WholeCluster cluster, ClusterNode by, string name) => cluster.Administer(by, new AdminCommand.CreateTopic(
        name, 1, -1, [], System.Collections.Immutable.ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), ValidateOnly: false));

    private static void Done(WholeCluster cluster, AdminCommand command, ClusterNode? by = null)
    {
        AdminResult result = cluster.Administer(by ?? cluster.Nodes.First(n => n.IsUp), command);
        Assert.True(result.Outcome == AdminOutcome.Done, result.ToString());
    }

    private static string Refused(WholeCluster cluster, AdminCommand command)
    {
        AdminResult result = cluster.Administer(cluster.Nodes.First(n => n.IsUp), command);
        Assert.Equal(AdminOutcome.Refused, result.Outcome);
        return result.Message!;
    }
}
