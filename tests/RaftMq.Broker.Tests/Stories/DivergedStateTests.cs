using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>A replica made something else of its log than the others, as a fault of its memory would: it is found, serves nobody, and is made anew.</summary>
public sealed class DivergedStateTests
{
    private static readonly BrokerOptions s_options = new() { Limits = new BrokerLimits { DigestEntries = 16 } };

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
