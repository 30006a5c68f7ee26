using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>Nodes of several versions: the cluster speaks what all of them do, and nothing newer before that is known.</summary>
public sealed class FeatureLevelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Level_is_what_all_nodes_speak_whoever_leads(int older)
    {
        WholeCluster cluster = new(3);
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Settings = node.Settings with { FeatureMin = 1, FeatureMax = node.Id.Value == older ? 2 : 3 };
            node.Start();
        }

        cluster.Until(() => cluster.Nodes.All(n => n.Broker.IsReady), "all are ready, the older one too");
        cluster.Until(() => cluster.Nodes.All(n => n.Broker.Cluster.FeatureLevel == 2), "the level that all of them speak");
    }

    [Fact]
    public void Level_does_not_rise_before_every_node_has_said_what_it_speaks()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        Assert.Equal(1, cluster[1].Broker.Cluster.FeatureLevel);
        ClusterNode last = cluster[3];
        last.Kill();
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Settings = node.Settings with { FeatureMax = 2 };
        }

        cluster[1].Restart();
        cluster[2].Restart();
        cluster.Pass(5_000);
        Assert.Equal(1, cluster[1].Broker.Cluster.FeatureLevel);

        last.Start();
        cluster.Until(() => cluster.Nodes.All(n => n.Broker.Cluster.FeatureLevel == 2), "the last one was upgraded too");
    }

    [Fact]
    public void Level_of_a_new_cluster_does_not_rise_before_its_last_node_is_known()
    {
        // Node 3 is kept from registering, and from leading, as its own controller would register it.
        WholeCluster cluster = new(3)
        {
            Alter = static (from, _, message) => from.Value == 3
                && message is (PeerMessage.Request or PeerMessage.ForGroup { Message: PreVoteRequest or VoteRequest }) ? null : message,
        };
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Settings = node.Settings with { FeatureMin = 1, FeatureMax = node.Id.Value == 3 ? 2 : 3 };
            node.Start();
        }

        cluster.Pass(5_000);
        Assert.InRange(cluster[1].Broker.Cluster.ControllerLeader!.Value.Value, 1, 2);
        Assert.Equal((1, 2), (cluster[1].Broker.Cluster.FeatureLevel, cluster[1].Broker.Cluster.Nodes.Count));

        cluster.Alter = null;
        cluster.Until(() => cluster.Nodes.All(n => n.Broker.Cluster.FeatureLevel == 2), "the level that all of them speak");
    }
}
