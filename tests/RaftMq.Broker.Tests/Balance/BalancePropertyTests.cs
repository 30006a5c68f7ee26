using System.Collections.Immutable;
using RaftMq.Broker.Balance;
using RaftMq.Raft;
using RaftMq.Testing;

namespace RaftMq.Broker.Tests.Balance;

/// <summary>What holds of every balance, in random clusters.</summary>
public sealed class BalancePropertyTests
{
    private static readonly ulong Seeds = (ulong)LongForm.Rounds(400, 10_000);

    [Fact]
    public void Without_racks_or_with_racks_of_one_size_all_is_even_within_one_afterwards()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            RandomCluster cluster = RandomCluster.Even(new RandomSource(seed));
            while (cluster.TryStep())
            {
            }

            Unevenness rest = cluster.Unevenness();
            Assert.True(rest is { OfTopic: <= 1, InAll: <= 1, LeadersOfTopic: <= 1, LeadersInAll: <= 1 }, $"seed {seed}: {rest}\n{cluster}");
        }
    }

    /// <summary>Racks of any size, nodes that are down, full or drained, partitions with more replicas than others.</summary>
    [Fact]
    public void Replicas_are_spread_over_racks_as_far_as_there_are_nodes_that_take_them()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            RandomCluster cluster = RandomCluster.Any(new RandomSource(seed));
            while (cluster.TryStep())
            {
            }

            Assert.True(cluster.CrowdingLeast() == cluster.Crowding(), $"seed {seed}:\n{cluster}");
        }
    }

    [Fact]
    public void Every_step_betters_the_first_thing_that_can_be_and_worsens_none_before_it()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            RandomCluster cluster = RandomCluster.Any(new RandomSource(seed));
            ImmutableArray<long> before = cluster.Merit();
            while (cluster.TryStep())
            {
                ImmutableArray<long> after = cluster.Merit();
                int first = Enumerable.Range(0, after.Length).First(i => after[i] != before[i]);
                Assert.True(after[first] < before[first], $"seed {seed}: {string.Join(' ', before)} -> {string.Join(' ', after)}\n{cluster}");
                before = after;
            }
        }
    }

    [Fact]
    public void No_step_crowds_a_rack_or_uses_a_node_that_takes_nothing_or_touches_what_is_not_free()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            var random = new RandomSource(seed);
            RandomCluster cluster = RandomCluster.Any(random);
            cluster.IsFree = partition => partition.Number % 3 != 1;
            cluster.Stepped = move =>
            {
                Assert.True(cluster.IsFree(move.Partition));
                Assert.Equal(move.Partition.Replicas.Length, move.To.Distinct().Count());
                Assert.All(move.To.Except(move.Partition.Replicas), r => Assert.True(cluster.TakesReplicas(r)));
            };
            int crowding = cluster.Crowding();
            while (cluster.TryStep())
            {
                Assert.True(cluster.Crowding() <= crowding, $"seed {seed}:\n{cluster}");
                crowding = cluster.Crowding();
            }
        }
    }

    /// <summary>As many as nodes have more than their part, and what is even within one is left as it is.</summary>
    [Fact]
    public void One_topic_without_racks_is_made_even_with_the_fewest_copies()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            RandomCluster cluster = RandomCluster.OneTopic(new RandomSource(seed));
            int needed = cluster.CopiesNeeded();
            while (cluster.TryStep())
            {
            }

            Assert.True(needed == cluster.Copies, $"seed {seed}: {cluster.Copies} copies for {needed}\n{cluster}");
        }
    }

    [Fact]
    public void What_the_plan_shows_is_what_its_steps_come_to_and_a_second_plan_is_empty()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            RandomCluster cluster = RandomCluster.Any(new RandomSource(seed));
            ImmutableArray<BalanceMove> plan = cluster.Plan();
            while (cluster.TryStep())
            {
            }

            Assert.All(plan, move => Assert.Equal(move.To, cluster.ReplicasOf(move.Topic, move.Partition)));
            Assert.Equal(plan.Length, cluster.ChangedCount);
            Assert.Empty(cluster.Plan());
        }
    }

    [Fact]
    public void The_same_cluster_has_the_same_plan()
    {
        for (ulong seed = 0; seed < 50; seed++)
        {
            Assert.Equal(
                RandomCluster.Any(new RandomSource(seed)).Plan().Select(static m => (m.Topic.Name, m.Partition.Number, string.Join(' ', m.To))),
                RandomCluster.Any(new RandomSource(seed)).Plan().Select(static m => (m.Topic.Name, m.Partition.Number, string.Join(' ', m.To))));
        }
    }
}
