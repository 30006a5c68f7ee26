using RaftMq.Broker.Digests;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Log;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Digests;

public sealed class StateRebuildTests
{
    [Fact]
    public void A_turn_has_its_share_of_a_long_log_and_each_entry_is_applied_once()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        for (int number = 0; number < 10; number++)
        {
            cluster.CreateTopic($"t-{number}");
        }

        ClusterNode node = cluster[1];
        Replica replica = node.Parts.Shard.Replicas.Values.Single(static replica => replica.Name is GroupName.Controller);
        var state = new Counting();
        var rebuild = new StateRebuild(replica, state, pieceBytes: 1);
        int turns = 0;
        while (!state.IsInUse)
        {
            node.Parts.Section.RunFirst(rebuild.GoOn);
            cluster.Settle();
            Assert.True(++turns < 1_000);
        }

        Assert.True(replica.Applied.Value > 12);
        Assert.Equal(replica.Applied.Value / 4, turns - 1);
        Assert.Equal(Enumerable.Range(1, (int)replica.Applied.Value).Select(static index => new LogIndex(index)), state.Applied);
        cluster.Until(() => rebuild.IsOver, "it is durable");
    }

    private sealed class Counting : ISecondState
    {
        public List<LogIndex> Applied { get; } = [];

        public bool IsInUse { get; private set; }

        public void Apply(in EntryHeader header, ReadOnlySpan<byte> payload)
        {
            Assert.False(IsInUse);
            Applied.Add(header.Index);
        }

        public void TakeOver()
        {
            Assert.False(IsInUse);
            IsInUse = true;
        }
    }
}
