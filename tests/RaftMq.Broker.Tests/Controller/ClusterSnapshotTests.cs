using RaftMq.Broker.Controller;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>The controller group's state as checkpoints hold it.</summary>
public sealed class ClusterSnapshotTests
{
    [Fact]
    public void Version_3_is_read_and_written_for_ever_as_in_the_golden_file()
    {
        var golden = GoldenFile.Read("snapshots-v3.txt");
        Assert.Equal(["controller", "controller-new"], golden.Blocks);
        golden.AssertUnchanged("controller", Snapshot(ControllerSamples.State()));
        golden.AssertUnchanged("controller-new", Snapshot(new ClusterState()));

        ClusterState read = Read(golden["controller"])!;
        Assert.Equal([(new ReplicaId(new NodeId(2), new StoreId(22)), 2)], read.Requests.Known);
        Assert.Equal(((UInt128)77, 1, 1006L), (read.ClusterId, read.FeatureLevel, read.NextProducerId));
        Assert.Equal([ControllerSamples.Racked, ControllerSamples.Plain], read.Nodes.Values);
        Assert.Equal(["__consumer_offsets", "orders"], read.Topics.Keys);
        Assert.Equal([KeyValuePair.Create(new NodeId(3), 2_000L)], read.Roster.Expected);
        Assert.Equal([KeyValuePair.Create(new NodeId(2), NodeDuty.Draining)], read.Roster.Duties);
        Assert.Equal([new ReplicaId(new NodeId(3), new StoreId(33))], read.Roster.Removed);
        Assert.True(read.IsBalancing);
        TopicInfo settled = ControllerSamples.Orders with
        {
            Partitions = ControllerSamples.Orders.Partitions.SetItem(0, ControllerSamples.Orders.Partitions[0].Settled(new LogIndex(9), new Term(4))),
        };
        Assert.Equal(
            ControllerSamples.Describe(new ClusterCommand.TopicCreated(settled)),
            ControllerSamples.Describe(new ClusterCommand.TopicCreated(read.Topics["orders"])));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Older_versions_are_still_read(int version)
    {
        var golden = GoldenFile.Read($"snapshots-v{version}.txt");
        ClusterState read = Read(golden["controller"])!;

        Assert.Equal(Snapshot(version == 1 ? ControllerSamples.StateOfVersion1() : ControllerSamples.StateOfVersion2()), Snapshot(read));
        Assert.Equal(Snapshot(new ClusterState()), Snapshot(Read(golden["controller-new"])!));
    }

    [Fact]
    public void A_command_for_a_partition_that_is_not_there_changes_nothing()
    {
        ClusterState state = ControllerSamples.State();
        byte[] before = Snapshot(state);
        foreach (int partition in new[] { -1, ControllerSamples.Orders.Partitions.Length, int.MaxValue })
        {
            state.Apply(new ClusterCommand.PreferredLeaderSet(ControllerSamples.Orders.Id, partition, new NodeId(1)));
            state.Apply(new ClusterCommand.PartitionMoved(ControllerSamples.Orders.Id, partition, []));
            state.Apply(new ClusterCommand.PartitionsPlaced([new PlacedPartition(ControllerSamples.Orders.Id, partition, [])]));
            state.Apply(new ClusterCommand.PartitionSettled(ControllerSamples.Orders.Id, partition, 0, new LogIndex(1), new Term(1)));
            Assert.Equal(before, Snapshot(state));
        }
    }

    [Fact]
    public void A_state_read_from_a_snapshot_goes_on_as_the_one_that_wrote_it()
    {
        for (ulong seed = 0; seed < 100; seed++)
        {
            var random = new RandomSource(seed);
            var state = new ClusterState();
            for (int i = random.Next(40); i > 0; i--)
            {
                state.Apply(ControllerSamples.RandomCommand(random, state));
            }

            byte[] snapshot = Snapshot(state);
            ClusterState copy = Read(snapshot)!;
            Assert.Equal(snapshot, Snapshot(copy));
            for (int i = 0; i < 20; i++)
            {
                ClusterCommand command = ControllerSamples.RandomCommand(random, state);
                Assert.Equal(state.Apply(command), copy.Apply(command));
            }

            Assert.Equal(Snapshot(state), Snapshot(copy));
        }
    }

    [Fact]
    public void What_is_not_a_snapshot_is_refused_and_leaves_the_state_as_it_was()
    {
        byte[] bytes = Snapshot(ControllerSamples.State());
        var state = new ClusterState();
        state.Apply(new ClusterCommand.TopicCreated(ControllerSamples.Offsets));
        byte[] before = Snapshot(state);

        Assert.All(Hostile.Cut(bytes), cut => Assert.False(state.TryReadSnapshot(cut.Bytes), cut.How));
        Assert.False(state.TryReadSnapshot([.. bytes, 0]));
        Assert.All([0, 1, 2, 4], version => Assert.False(state.TryReadSnapshot([(byte)version, .. bytes[1..]])));

        // A term below zero.
        Assert.False(state.TryReadSnapshot([.. bytes[..^1], 0x80]));
        Assert.Equal(before, Snapshot(state));
    }

    [Fact]
    public void Changed_bytes_are_refused_or_are_another_state_and_cost_no_more_than_they_are_long()
    {
        byte[] bytes = Snapshot(ControllerSamples.State());
        foreach ((byte[] changed, string how) in Hostile.All(bytes))
        {
            ClusterState? read = Hostile.Read(() => Read(changed), changed.Length, how);
            if (read is not null)
            {
                byte[] written = Snapshot(read);
                Assert.Equal(changed.Length, written.Length);
                Assert.Equal(written, Snapshot(Read(written)!));
            }
        }
    }

    [Fact]
    public void A_node_or_topic_named_twice_is_refused()
    {
        var state = new ClusterState();
        state.Apply(new ClusterCommand.NodeRegistered(ControllerSamples.Plain));
        byte[] one = Snapshot(state);
        const int NodesAt = 1 + 16 + 4 + 4 + 8;
        const int Behind = (5 * 4) + 1;
        byte[] node = one[(NodesAt + 4)..^Behind];
        byte[] other = [(byte)(node[0] + 1), .. node[1..]];

        Assert.NotNull(Read([.. one[..NodesAt], 2, 0, 0, 0, .. node, .. other, .. one[^Behind..]]));
        Assert.Null(Read([.. one[..NodesAt], 2, 0, 0, 0, .. node, .. node, .. one[^Behind..]]));
    }

    private static ClusterState? Read(byte[] bytes)
    {
        var state = new ClusterState();
        return state.TryReadSnapshot(bytes) ? state : null;
    }

    private static byte[] Snapshot(ClusterState state)
    {
        var writer = new ByteWriter();
        state.WriteSnapshot(writer);
        return writer.ToArray();
    }
}
