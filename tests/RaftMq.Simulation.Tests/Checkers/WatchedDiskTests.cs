using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Disk;
using RaftMq.Simulation.Workloads;
using RaftMq.Simulation.World;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class WatchedDiskTests
{
    private static readonly NodeId Node = new(0);

    private readonly SimulationWorld _world = new(1, traceLines: null);
    private readonly SimulatedDisk _medium = new(new RandomSource(2));
    private readonly WatchedDisk _disk;

    public WatchedDiskTests() => _disk = new WatchedDisk(_medium, Node, _world.History);

    [Fact]
    public void A_batch_counts_as_durable_after_the_sync_and_not_before()
    {
        (Mark mark, byte[] batch) = NewBatch();
        using IDiskFile file = _disk.Open("f", DiskFileMode.CreateNew);
        file.Write(100, batch);
        Assert.Contains("durable on 0", Ack(mark), StringComparison.Ordinal);

        file.Sync();
        Assert.Null(Ack(mark));
    }

    [Fact]
    public void A_batch_counts_when_it_was_written_in_pieces()
    {
        (Mark mark, byte[] batch) = NewBatch();
        using IDiskFile file = _disk.Open("f", DiskFileMode.CreateNew);
        file.Write(0, [batch.AsMemory(0, 70)]);
        file.Write(70, batch.AsSpan(70));
        file.Sync();
        Assert.Null(Ack(mark));
    }

    [Fact]
    public void A_batch_with_a_changed_byte_does_not_count()
    {
        (Mark mark, byte[] batch) = NewBatch();
        batch[^1] ^= 1;
        using IDiskFile file = _disk.Open("f", DiskFileMode.CreateNew);
        file.Write(0, batch);
        file.Sync();
        Assert.NotNull(Ack(mark));
    }

    [Fact]
    public void Half_a_batch_does_not_count()
    {
        (Mark mark, byte[] batch) = NewBatch();
        using IDiskFile file = _disk.Open("f", DiskFileMode.CreateNew);
        file.Write(0, batch.AsSpan(0, batch.Length - 1));
        file.Sync();
        Assert.NotNull(Ack(mark));
    }

    [Fact]
    public void A_write_that_the_disk_lost_does_not_count()
    {
        (Mark mark, byte[] batch) = NewBatch();
        using IDiskFile file = _disk.Open("f", DiskFileMode.CreateNew);
        _medium.Arm(SimulatedDiskFault.WriteLost);
        file.Write(0, batch);
        file.Sync();
        Assert.NotNull(Ack(mark));
    }

    private (Mark Mark, byte[] Batch) NewBatch()
    {
        Mark mark = _world.History.Marks.Next();
        byte[] batch = new BatchMaker(new RandomSource(3), 1000, timeSpreadMs: 0).Make(mark, producer: -1, baseSequence: -1, nowUs: 0, out _, out _);
        _world.History.Marks.Add(mark, batch);
        return (mark, batch);
    }

    /// <summary>What the durability checker would say of an acknowledgement now; one voter, offset 0 as in the batch.</summary>
    private string? Ack(Mark mark)
    {
        GroupId group = new(1);
        _world.History.Add(new HistoryEvent.PartitionCreated(group, "t/0", [Node], MinInSync: 1));
        return _world.History.WouldObject(new HistoryEvent.SendAcked(group, mark, 1, 0, Node));
    }
}
