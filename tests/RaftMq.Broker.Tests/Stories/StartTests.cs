using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>What a start does is done in the node's sections, as everything later: the disk answers from other threads while it is under way.</summary>
public sealed class StartTests
{
    [Fact]
    public void A_start_that_has_to_make_replicas_makes_them_inside_the_section()
    {
        WholeCluster cluster = WholeCluster.Started(3, new BrokerOptions { OffsetsPartitions = 1 });
        ClusterNode killed = cluster.Nodes.First(node => node.Id != cluster[1].Broker.Cluster.ControllerLeader);
        killed.HangingLane = DiskLane.Background;
        GroupId[] groups = [.. cluster.CreateTopic("t", partitions: 5).Partitions.Select(partition => partition.Group)];

        // What is behind it in the controller's log says that it is committed: the start knows of the topic before it hears anybody.
        cluster.CreateTopic("later");
        cluster.CreateTopic("last");
        cluster.Pass(5_000);
        Assert.All(groups, group => Assert.Null(killed.Parts.Shard.Find(group)));

        killed.HangingLane = null;
        killed.Restart();

        // ClusterNode's disk fails the test where work is submitted from outside.
        cluster.Until(() => groups.All(group => killed.Parts.Shard.Find(group) is not null), "the replicas are made");
    }
}
