using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>What the cluster's state remembers of a movement, from its beginning to its end.</summary>
public sealed class PartitionInfoTests
{
    private static readonly PartitionInfo Made = new(0, new GroupId(7), Nodes(1, 2, 3));

    [Fact]
    public void Who_is_not_wanted_any_more_stays_until_the_movement_is_done()
    {
        PartitionInfo moved = Made.MovedTo(Nodes(4, 1));

        Assert.Equal(("4,1", "2,3", "1,2,3", 1), Sets(moved));
        Assert.Equal("4", Names(moved.Adding));
        Assert.All([1, 2, 3, 4], n => Assert.True(moved.IsPlacedOn(Node(n))));
        Assert.Equal("1,2,3", Names(moved.Founders));

        PartitionInfo settled = moved.Settled(new LogIndex(9), new Term(4));
        Assert.Equal(("4,1", "", "", 1), Sets(settled));
        Assert.False(settled.IsMoving);
        Assert.Equal("1", Names(settled.Founders));
        Assert.Equal("1,2,3", Names(settled.Founding));
        Assert.Equal(9, settled.SettledAt.Value);
        Assert.Equal(4, settled.SettledTerm.Value);
    }

    [Fact]
    public void A_movement_that_takes_the_place_of_another_keeps_all_who_may_be_members()
    {
        PartitionInfo replaced = Made.MovedTo(Nodes(4, 1)).MovedTo(Nodes(5, 2));

        Assert.Equal(("5,2", "4,1,3", "1,2,3", 2), Sets(replaced));
        Assert.Equal("5", Names(replaced.Adding));
    }

    [Fact]
    public void A_cancelled_one_is_a_movement_back()
    {
        PartitionInfo moved = Made.MovedTo(Nodes(4, 5));
        PartitionInfo back = moved.MovedTo(moved.Before);

        Assert.Equal(("1,2,3", "4,5", "1,2,3", 2), Sets(back));
        Assert.Equal("1,2,3", Names(back.Settled(default, default).Founders));
    }

    [Fact]
    public void Only_growing_is_a_movement_too()
    {
        PartitionInfo grown = Made.MovedTo(Nodes(1, 2, 3, 4));

        Assert.True(grown.IsMoving);
        Assert.Empty(grown.Leaving);
    }

    [Fact]
    public void Who_left_and_comes_back_is_no_founder()
    {
        PartitionInfo back = Made.MovedTo(Nodes(1)).Settled(new LogIndex(5), new Term(2)).MovedTo(Nodes(1, 2)).Settled(new LogIndex(9), new Term(3));

        Assert.Equal("1", Names(back.Founders));
    }

    [Fact]
    public void A_word_on_another_epoch_changes_nothing()
    {
        var state = new ClusterState();
        var topic = new TopicInfo("t", 5, Internal: false, [Made], ImmutableSortedDictionary<string, string>.Empty);
        state.Apply(new ClusterCommand.TopicCreated(topic));
        state.Apply(new ClusterCommand.PartitionMoved(5, 0, Nodes(4)));
        state.Apply(new ClusterCommand.PartitionMoved(5, 0, Nodes(5)));

        state.Apply(new ClusterCommand.PartitionSettled(5, 0, 1, new LogIndex(9), new Term(2)));
        Assert.True(state.Topics["t"].Partitions[0].IsMoving);
        state.Apply(new ClusterCommand.PartitionSettled(5, 0, 2, new LogIndex(9), new Term(2)));
        Assert.False(state.Topics["t"].Partitions[0].IsMoving);
    }

    private static (string, string, string, int) Sets(PartitionInfo partition) =>
        (Names(partition.Replicas), Names(partition.Leaving), Names(partition.Before), partition.Epoch);

    private static string Names(IEnumerable<ReplicaId> replicas) => string.Join(',', replicas.Select(r => r.Node.Value));

    private static ImmutableArray<ReplicaId> Nodes(params int[] nodes) => [.. nodes.Select(Node)];

    private static ReplicaId Node(int node) => new(new NodeId(node), new StoreId((UInt128)node));
}
