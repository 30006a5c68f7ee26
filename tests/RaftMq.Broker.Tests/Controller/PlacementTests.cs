using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Controller;

public sealed class PlacementTests
{
    /// <summary>Nodes of a rack in a row, as an operator numbers them: their order alone would put replicas side by side.</summary>
    [Theory]
    [InlineData("aabb", 2)]
    [InlineData("aaabc", 3)]
    [InlineData("aabbcc", 3)]
    [InlineData("aaabbbccc", 5)]
    [InlineData("aaaaab", 2)]
    public void Replicas_of_a_partition_stand_on_different_racks_as_long_as_there_are_racks(string racks, int factor)
    {
        NodeRecord[] nodes = [.. racks.Select((rack, i) => Node(i + 1, $"{rack}"))];

        ImmutableArray<ImmutableArray<ReplicaId>> placed = Placement.Choose(nodes, [], partitions: 30, factor, static _ => true);

        Assert.All(placed, replicas => Assert.Equal(
            Math.Min(factor, racks.Distinct().Count()), replicas.Select(replica => racks[replica.Node.Value - 1]).Distinct().Count()));
    }

    /// <summary>A node that does not say where it stands may stand anywhere.</summary>
    [Fact]
    public void Node_without_a_rack_is_in_nobodys_way()
    {
        NodeRecord[] nodes = [Node(1, "a"), Node(2, "a"), Node(3, null), Node(4, null)];

        ImmutableArray<ImmutableArray<ReplicaId>> placed = Placement.Choose(nodes, [], partitions: 30, replicationFactor: 3, static _ => true);

        Assert.All(placed, replicas => Assert.Single(replicas, replica => replica.Node.Value <= 2));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Each_node_gets_about_equally_many_replicas_and_leaders(int factor)
    {
        NodeRecord[] nodes = [.. Enumerable.Range(1, 5).Select(i => Node(i, rack: null))];

        IsSpread(nodes, [.. Placement.Choose(nodes, [], partitions: 37, factor, static _ => true)]);
    }

    /// <summary>Ten topics of one partition are as much load as one topic of ten.</summary>
    [Fact]
    public void What_earlier_topics_have_on_a_node_counts()
    {
        NodeRecord[] nodes = [.. Enumerable.Range(1, 5).Select(i => Node(i, rack: null))];
        var topics = new List<TopicInfo>();
        for (int i = 0; i < 23; i++)
        {
            ImmutableArray<ReplicaId> replicas = Assert.Single(Placement.Choose(nodes, topics, partitions: 1, replicationFactor: 2, static _ => true));
            topics.Add(new TopicInfo(
                $"t{i}", (UInt128)i, Internal: false, [new PartitionInfo(0, new GroupId((UInt128)i), replicas)],
                ImmutableSortedDictionary<string, string>.Empty));
        }

        IsSpread(nodes, [.. topics.Select(topic => topic.Partitions[0].Replicas)]);
    }

    [Fact]
    public void Rack_that_a_node_is_given_reaches_the_cluster_and_decides_where_replicas_stand()
    {
        var cluster = new WholeCluster(4);
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Settings = node.Settings with { Rack = node.Id.Value == 4 ? "far" : "near" };
            node.Start();
        }

        cluster.Until(() => cluster.Nodes.All(node => node.Broker.IsReady), "the nodes are ready");

        TopicInfo topic = cluster.CreateTopic("t", partitions: 6, replicas: 2);

        Assert.All(topic.Partitions, partition => Assert.Contains(partition.Replicas, replica => replica.Node.Value == 4));
        Assert.Equal(["near", "near", "near", "far"], cluster[1].Broker.Cluster.Nodes.OrderBy(node => node.Key).Select(node => node.Value.Rack));
    }

    private static void IsSpread(NodeRecord[] nodes, ImmutableArray<ReplicaId>[] placed)
    {
        int[] replicas = [.. nodes.Select(node => placed.Count(partition => partition.Contains(node.Replica)))];
        int[] leaders = [.. nodes.Select(node => placed.Count(partition => partition[0] == node.Replica))];
        Assert.True(replicas.Max() - replicas.Min() <= 1, string.Join(' ', replicas));
        Assert.True(leaders.Max() - leaders.Min() <= 1, string.Join(' ', leaders));
    }

    private static NodeRecord Node(int id, string? rack) =>
        new(new ReplicaId(new NodeId(id), new StoreId((UInt128)(id * 10))), new BootNumber(1), 1, rack, [], 1, 1);
}
