using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Log;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>A replica made something else of its log than the others, as a fault of its memory would: it is found, serves nobody, and is made anew.</summary>
public sealed class DivergedStateTests
{
    private static readonly BrokerOptions s_options = new() { Limits = new BrokerLimits { DigestEntries = 16 } };
    private static readonly RollPolicy s_smallSegments = new(1_500, 1_000_000_000);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_replica_whose_state_diverged_serves_nobody_and_is_made_anew(bool leads)
    {
        WholeCluster cluster = WholeCluster.Started(3, s_options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        Produce(cluster, group, batches: 5);
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode odd = leads ? leader : cluster[leader.Id.Value == 3 ? 2 : 3];
        Replica before = cluster.ReplicaOf(odd.Id.Value, group);
        Diverge(before);

        Produce(cluster, group, batches: 20);
        cluster.Until(() => odd.Events.Any(happened => happened.Name == nameof(NodeEventKind.StateDiverged)), "it is found");
        Assert.True(before.IsFenced);
        Assert.False(before.IsServing);
        Produce(cluster, group, batches: 20);
        Assert.NotEqual(odd, cluster.LeaderOf(group));

        cluster.Until(
            () => cluster.ReplicaOf(odd.Id.Value, group) is { } now && now != before && IsVoter(cluster, now), "it is made anew", withinMs: 30_000);
        Assert.Empty(odd.Parts.Damaged);
        Assert.Equal(3, cluster.ReplicaOf(odd.Id.Value, group).Membership.Voters.Count);
        Produce(cluster, group, batches: 20);
        cluster.Pass(1_000);
        Assert.Single(States(cluster, group).Distinct());
        Assert.Single(cluster.Nodes.SelectMany(node => node.Events), happened => happened.Name == nameof(NodeEventKind.StateDiverged));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_controller_replica_whose_state_diverged_makes_it_again_from_its_log(bool leads)
    {
        (WholeCluster cluster, ClusterNode odd, Replica replica) = DivergedController(leads);
        Work(cluster, odd);

        cluster.Until(() => Told(odd, NodeEventKind.StateRebuilt), "its state is made again");
        Assert.False(replica.IsFenced);
        Assert.Same(replica, cluster.ReplicaOf(odd.Id.Value, replica.Group));
        Assert.Single(States(cluster, replica.Group).Distinct());

        // The bases that it had taken meanwhile come from the others.
        cluster.Until(() => odd.Parts.Damaged.Count == 0 && !replica.Log.IsDamaged, "all of it is whole", withinMs: 60_000);
        Assert.True(Told(odd, NodeEventKind.FilesMended));
        string[] bases = [.. Bases(odd, replica)];
        Assert.NotEmpty(bases);
        foreach (ClusterNode other in cluster.Nodes)
        {
            Assert.Equal(bases, Bases(other, cluster.ReplicaOf(other.Id.Value, replica.Group)));
        }

        Work(cluster, odd, untilTold: false);
        cluster.Pass(1_000);
        Assert.Single(States(cluster, replica.Group).Distinct());
        Assert.Single(cluster.Nodes.SelectMany(node => node.Events), happened => happened.Name == nameof(NodeEventKind.StateDiverged));
    }

    [Fact]
    public void A_controller_replica_that_is_killed_as_soon_as_its_state_is_made_again_has_nothing_of_the_other_left_on_its_disk()
    {
        (WholeCluster cluster, ClusterNode odd, Replica replica) = DivergedController(leads: false);
        Work(cluster, odd);
        cluster.Until(() => Told(odd, NodeEventKind.StateRebuilt), "its state is made again");
        odd.Kill();
        odd.Start();
        cluster.Until(() => odd.Broker.IsReady, "it is back");
        Work(cluster, odd, untilTold: false);
        cluster.Pass(1_000);
        Assert.Single(States(cluster, replica.Group).Distinct());
        Assert.Single(cluster.Nodes.SelectMany(node => node.Events), happened => happened.Name == nameof(NodeEventKind.StateDiverged));
    }

    [Fact]
    public void A_controller_replica_that_is_killed_while_it_makes_its_state_again_does_so_after_its_start()
    {
        (WholeCluster cluster, ClusterNode odd, Replica replica) = DivergedController(leads: false);
        odd.HangingLane = Storage.Files.DiskLane.Read;
        Work(cluster, odd);
        cluster.Pass(3_000);
        Assert.True(replica.IsFenced);
        Assert.False(Told(odd, NodeEventKind.StateRebuilt));

        odd.Kill();
        odd.HangingLane = null;
        odd.Start();
        cluster.Until(() => odd.Broker.IsReady, "it is back");
        Work(cluster, odd, untilTold: false);
        cluster.Pass(2_000);
        Assert.False(cluster.ReplicaOf(odd.Id.Value, replica.Group).IsFenced);
        Assert.Single(States(cluster, replica.Group).Distinct());
    }

    [Fact]
    public void A_fenced_replica_stores_and_votes_and_does_not_lead()
    {
        WholeCluster cluster = WholeCluster.Started(3, s_options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        Produce(cluster, group, batches: 5);
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode odd = cluster[leader.Id.Value == 3 ? 2 : 3];
        Replica fenced = cluster.ReplicaOf(odd.Id.Value, group);
        ClusterNode third = cluster.Nodes.Single(node => node != leader && node != odd);
        Diverge(fenced);
        for (int batches = 0; !fenced.IsFenced; batches++)
        {
            Assert.True(batches < 50, "it is not found");
            Produce(cluster, group, batches: 1);
        }

        // Its vote and its copy are needed now: what would make it anew waits for the third.
        third.Kill();
        Produce(cluster, group, batches: 5);
        Assert.Same(fenced, cluster.ReplicaOf(odd.Id.Value, group));
        leader.Kill();
        cluster.Pass(10_000);
        Assert.False(fenced.IsLeader);

        // The third lacks what the two have, and the one that has it may not lead.
        third.Start();
        for (int ms = 0; ms < 5_000; ms += 50)
        {
            cluster.Pass(50);
            Assert.False(fenced.IsLeader);
            Assert.Null(cluster.LeaderOf(group));
        }

        leader.Start();
        cluster.Until(() => cluster.LeaderOf(group) is not null, "one that is right leads");
        Assert.NotEqual(odd, cluster.LeaderOf(group));
        Produce(cluster, group, batches: 1);
    }

    [Fact]
    public void Where_all_states_differ_it_is_told_and_nothing_is_done()
    {
        WholeCluster cluster = WholeCluster.Started(3, s_options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        Produce(cluster, group, batches: 5);
        Diverge(cluster.ReplicaOf(2, group), producerId: 1 << 20);
        Diverge(cluster.ReplicaOf(3, group), producerId: 1 << 21);
        Produce(cluster, group, batches: 40);
        Assert.Contains(cluster.Nodes.SelectMany(node => node.Events), happened => happened.Name == nameof(NodeEventKind.StatesDiffer));
        Assert.All(cluster.Nodes, node => Assert.False(cluster.ReplicaOf(node.Id.Value, group).IsFenced));
    }

    /// <summary>Its state knows a node that never was. Some of what it made of it is on the disk.</summary>
    private static (WholeCluster Cluster, ClusterNode Odd, Replica Replica) DivergedController(bool leads)
    {
        WholeCluster cluster = WholeCluster.Started(3, s_options);
        GroupId group = cluster[1].Parts.Shard.Replicas.Values.Single(static replica => replica.Name is GroupName.Controller).Group;
        foreach (ClusterNode node in cluster.Nodes)
        {
            cluster.ReplicaOf(node.Id.Value, group).Log.Tail.Roll = s_smallSegments;
        }

        for (int number = 0; number < 4; number++)
        {
            cluster.CreateTopic($"before-{number}");
        }

        // A log that is not in memory any more.
        ClusterNode odd = cluster[3];
        odd.Kill();
        odd.Start();
        cluster.Until(() => odd.Broker.IsReady && cluster.LeaderOf(group) is not null, "it is back");
        Replica replica = cluster.ReplicaOf(odd.Id.Value, group);
        replica.Log.Tail.Roll = s_smallSegments;
        ClusterNode leader = cluster.LeaderOf(group)!;
        if (leads != (leader == odd))
        {
            cluster.ReplicaOf(leader.Id.Value, group).TransferLeadership(new NodeId(leads ? 3 : 2));
            cluster.Until(() => cluster.LeaderOf(group) is { } now && now != leader, "another one leads");
        }

        odd.Parts.Cluster.State.Requests.Remember(
            new ReplicaId(new NodeId(1_000), new StoreId(1)), number: 0, lowestOpen: 0, new RememberedAnswer(AdminOutcome.Done, null, 0, 0));
        cluster.CreateTopic("between");
        odd.Parts.Section.RunFirst(() => replica.WriteCheckpoint());
        return (cluster, odd, replica);
    }

    /// <summary>Enough for a comparison or two.</summary>
    private static void Work(WholeCluster cluster, ClusterNode odd, bool untilTold = true)
    {
        for (int number = 0; number < 24 && !(untilTold && Told(odd, NodeEventKind.StateDiverged)); number++)
        {
            cluster.CreateTopic($"at-{cluster.NowMs}");
        }

        Assert.True(Told(odd, NodeEventKind.StateDiverged));
    }

    private static bool Told(ClusterNode node, NodeEventKind kind) => node.Events.Exists(happened => happened.Name == kind.ToString());

    /// <summary>Names and bytes of the bases' files.</summary>
    private static IEnumerable<string> Bases(ClusterNode node, Replica replica)
    {
        foreach (string name in node.Medium.List(replica.Log.Folder).Where(static name => name.StartsWith("base-", StringComparison.Ordinal)))
        {
            yield return name + Convert.ToHexString(node.Medium[$"{replica.Log.Folder}/{name}"].ToArray());
        }
    }

    /// <summary>It knows a producer that never was.</summary>
    private static void Diverge(Replica replica, long producerId = 1 << 20) =>
        ((Partition)replica.Machine).State.Producers.Apply(new ProducerStamp(producerId, 0, 0, 0), baseOffset: 0, timestampMs: 0);

    private static bool IsVoter(WholeCluster cluster, Replica replica) =>
        cluster.LeaderOf(replica.Group) is { } leader && cluster.ReplicaOf(leader.Id.Value, replica.Group) is var leading
        && leading.IsMembershipSettled && leading.Membership.IsVoter(replica.Self) && replica.Applied == leading.Applied;

    private static IEnumerable<string> States(WholeCluster cluster, GroupId group)
    {
        foreach (ClusterNode node in cluster.Nodes)
        {
            var writer = new Encoding.ByteWriter();
            cluster.ReplicaOf(node.Id.Value, group).Machine.WriteSnapshot(writer);
            yield return Convert.ToHexString(writer.Written);
        }
    }

    private static void Produce(WholeCluster cluster, GroupId group, int batches)
    {
        for (int stored = 0, tried = 0; stored < batches; tried++)
        {
            Assert.True(tried < batches + 500, "nothing is stored any more");
            cluster.Until(() => cluster.LeaderOf(group) is not null, "somebody leads");
            ProduceAnswer answer = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
            cluster.Pass(20);
            stored += answer.Outcome == ProduceOutcome.Stored ? 1 : 0;
        }
    }
}
