using System.Collections.Immutable;
using RaftMq.Broker.Cluster;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Cluster;

/// <summary>How a first cluster forms, in whatever order its nodes come, and who is kept out (D-18, D-19).</summary>
public sealed class FormationTests
{
    [Fact]
    public void Words_in_every_order_make_one_cluster_and_none_before_all_were_heard()
    {
        for (ulong seed = 0; seed < 300; seed++)
        {
            var random = new RandomSource(seed);
            ReplicaId[] replicas = [.. Enumerable.Range(1, random.Next(1, 6)).Select(n => new ReplicaId(new NodeId(n), new StoreId(random.NextUInt128())))];
            ImmutableArray<NodeId> initial = [.. replicas.Select(r => r.Node).OrderBy(_ => random.NextUInt64())];
            Formation[] nodes = [.. replicas.Select(r => new Formation(r, initial))];
            var formed = new FormedCluster?[nodes.Length];
            List<(int From, int To)> words =
                [.. from f in Enumerable.Range(0, nodes.Length) from t in Enumerable.Range(0, nodes.Length) where f != t select (f, t)];
            int[] heard = new int[nodes.Length];
            bool[] wasTold = new bool[nodes.Length];
            while (formed.Any(f => f is null))
            {
                for (int n = 0; n < nodes.Length; n++)
                {
                    formed[n] ??= nodes[n].TryForm();
                    Assert.Null(nodes[n].Refusal);
                    Assert.True(formed[n] is null || wasTold[n] || heard[n] == nodes.Length - 1, $"seed {seed}");
                }

                if (words.Count == 0)
                {
                    break;
                }

                (int from, int to) = words[random.Next(words.Count)];
                words.Remove((from, to));
                heard[to]++;
                wasTold[to] |= formed[from] is not null;
                nodes[to].Heard(replicas[from], formed[from] is { } done
                    ? new PeerMessage.Formation(done.ControllerGroup, done.Voters)
                    : Formation.Empty);
            }

            Assert.All(formed, f => Assert.Equal(formed[0]!.ControllerGroup, f?.ControllerGroup));
            Assert.All(formed, f => Assert.Equal(replicas, f!.Voters));
        }
    }

    [Fact]
    public void A_voter_list_that_does_not_make_its_group_is_not_believed()
    {
        var self = new ReplicaId(new NodeId(1), new StoreId(11));
        var other = new ReplicaId(new NodeId(2), new StoreId(22));
        var formation = new Formation(self, [self.Node, other.Node]);
        formation.Heard(other, new PeerMessage.Formation(new GroupId(5), [self, other]));

        Assert.Null(formation.TryForm());
        Assert.Null(formation.Refusal);
    }

    [Fact]
    public void A_node_that_is_none_of_the_first_forms_nothing()
    {
        var self = new ReplicaId(new NodeId(3), new StoreId(33));
        var formation = new Formation(self, [new NodeId(1), new NodeId(2)]);
        formation.Heard(new ReplicaId(new NodeId(1), new StoreId(11)), Formation.Empty);
        formation.Heard(new ReplicaId(new NodeId(2), new StoreId(22)), Formation.Empty);

        Assert.Null(formation.TryForm());
    }

    [Theory]
    [InlineData(1, 2, 3)]
    [InlineData(1, 3, 2)]
    [InlineData(2, 1, 3)]
    [InlineData(2, 3, 1)]
    [InlineData(3, 1, 2)]
    [InlineData(3, 2, 1)]
    public void Nodes_that_start_one_after_the_other_form_one_cluster_in_every_order(int first, int second, int third)
    {
        var cluster = new WholeCluster(3);
        foreach (int node in new[] { first, second, third })
        {
            Assert.DoesNotContain(cluster.Nodes, n => n.IsUp && n.Broker.IsReady);
            cluster[node].Start();
            cluster.Pass(700);
        }

        AssertOneCluster(cluster);
    }

    [Fact]
    public void Nodes_that_come_die_and_are_cut_off_while_they_form_still_form_one_cluster()
    {
        for (ulong seed = 0; seed < 12; seed++)
        {
            var random = new RandomSource(seed);
            var cluster = new WholeCluster(random.Next(2, 6));
            for (int step = 0; step < 15; step++)
            {
                ClusterNode node = cluster.Nodes[random.Next(cluster.Nodes.Count)];
                if (!node.IsUp)
                {
                    node.Start();
                }
                else if (random.OneIn(4))
                {
                    node.Kill();
                }

                int from = random.Next(1, 6);
                int to = random.Next(1, 6);
                cluster.IsCut = (a, b, _) => a.Value == from || b.Value == to;
                cluster.Pass(random.Next(1, 60) * 10);
            }

            cluster.IsCut = static (_, _, _) => false;
            foreach (ClusterNode node in cluster.Nodes.Where(n => !n.IsUp))
            {
                node.Start();
            }

            AssertOneCluster(cluster);
        }
    }

    [Fact]
    public void A_node_with_another_clusters_folder_is_refused_by_the_names_of_both_and_the_others_go_on()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        WholeCluster foreign = WholeCluster.Started(3, seed: 1_000);
        (string own, string other) = (cluster[1].Broker.Cluster.ClusterId, foreign[1].Broker.Cluster.ClusterId);
        Assert.NotEqual(own, other);
        foreign.Pass(2_000);
        cluster[3].Kill();
        cluster[3].Medium = foreign[3].Medium;
        cluster[3].Start();

        cluster.Until(() => cluster[3].Broker.RefusedByCluster is not null, "it is told");

        string refusal = cluster[3].Broker.RefusedByCluster!;
        Assert.Contains($"belongs to cluster {other}", refusal, StringComparison.Ordinal);
        Assert.Contains($"nodes 1, 2 belong to cluster {own}", refusal, StringComparison.Ordinal);
        cluster.Pass(5_000);
        foreach (ClusterNode node in cluster.Nodes.Take(2))
        {
            Assert.Null(node.Broker.RefusedByCluster);
            Assert.True(node.Broker.IsReady);
            NodeEvent warning = Assert.Single(node.Events, e => e.Name == "NodeOfAnotherCluster");
            Assert.Contains(own, warning.Text, StringComparison.Ordinal);
            Assert.Contains(other, warning.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_node_that_was_a_cluster_of_its_own_is_refused_though_it_leads_itself()
    {
        WholeCluster alone = WholeCluster.Started(1, seed: 1_000);
        alone.Pass(2_000);
        WholeCluster cluster = WholeCluster.Started(3);
        cluster[1].Kill();
        cluster[1].Medium = alone[1].Medium;
        cluster[1].Start();

        cluster.Until(() => cluster[1].Broker.RefusedByCluster is not null, "it is told");

        Assert.Null(cluster[2].Broker.RefusedByCluster);
        Assert.Null(cluster[3].Broker.RefusedByCluster);
    }

    [Fact]
    public void Strangers_never_outvote_a_node_of_the_own_cluster()
    {
        ImmutableArray<NodeId> initial = [new NodeId(1), new NodeId(2), new NodeId(3)];
        var claims = new ClusterClaims(new NodeId(1), initial);
        Assert.True(claims.Heard(Replica(2, store: 1), cluster: 7));
        Assert.False(claims.Heard(Replica(2, store: 1), cluster: 7));
        Assert.Null(claims.RefusalFor(5));

        // The same node with another folder is not two nodes; this node itself and those that are not of the first do not count.
        claims.Heard(Replica(2, store: 2), cluster: 7);
        claims.Heard(Replica(1, store: 3), cluster: 7);
        claims.Heard(Replica(4, store: 4), cluster: 7);
        claims.Heard(Replica(3, store: 5), cluster: 8);
        Assert.Null(claims.RefusalFor(5));

        claims.Heard(Replica(3, store: 5), cluster: 7);
        Assert.NotNull(claims.RefusalFor(5));
        Assert.Null(claims.RefusalFor(7));
        claims.Heard(Replica(2, store: 6), cluster: 5);
        Assert.Null(claims.RefusalFor(5));
    }

    [Fact]
    public void Of_two_nodes_of_two_clusters_neither_is_in_the_wrong()
    {
        var claims = new ClusterClaims(new NodeId(1), [new NodeId(1), new NodeId(2)]);
        claims.Heard(Replica(2, store: 1), cluster: 7);

        Assert.Null(claims.RefusalFor(5));
    }

    private static ReplicaId Replica(int node, int store) => new(new NodeId(node), new StoreId((UInt128)store));

    private static void AssertOneCluster(WholeCluster cluster)
    {
        cluster.Until(() => cluster.Nodes.All(n => n.Broker.IsReady), "all are ready");
        Assert.Single(cluster.Nodes.Select(n => n.Broker.Cluster.ClusterId).Distinct(StringComparer.Ordinal));
        Assert.Single(cluster.Nodes
            .SelectMany(n => n.Parts.Shard.Replicas.Values.Where(r => r.Name is GroupName.Controller).Select(r => r.Group)).Distinct());
        Assert.All(cluster.Nodes, n => Assert.Equal(cluster.Initial, n.Broker.Cluster.Nodes.Keys));
    }
}
