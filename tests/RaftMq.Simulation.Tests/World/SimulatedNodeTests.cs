using RaftMq.Broker.Environment;
using RaftMq.Simulation.Disk;
using RaftMq.Simulation.World;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Tests.World;

public sealed class SimulatedNodeTests
{
    private readonly SmallWorld _small = new();

    [Fact]
    public void A_node_is_ticked_about_every_ten_milliseconds()
    {
        _small.RunFor(1_000_000);
        Assert.InRange(_small.Broker(0).Ticks, 95, 101);
    }

    [Fact]
    public void Nothing_of_a_dead_life_happens_in_the_next()
    {
        NodeLife first = _small.Nodes[0].Life!;
        bool happened = false;
        _small.World.After(500, first, () => happened = true);
        _small.Nodes[0].Crash(CrashKind.Process);
        _small.Nodes[0].Start();
        _small.RunFor(1_000);
        Assert.False(happened);
    }

    [Fact]
    public void A_process_crash_keeps_the_cache_and_a_power_cut_only_what_was_synced()
    {
        SimulatedNode node = _small.Nodes[0];
        using (IDiskFile synced = node.Disk.Open("synced", DiskFileMode.CreateNew))
        {
            node.Disk.SyncFolder("");
            synced.Write(0, "kept"u8);
            synced.Sync();
        }

        using (IDiskFile file = node.Disk.Open("cached", DiskFileMode.CreateNew))
        {
            file.Write(0, "kept"u8);
        }

        node.Crash(CrashKind.Process);
        node.Start();
        Assert.True(node.Disk.FileExists("cached"));
        int lost = 0;
        for (int i = 0; i < 20; i++)
        {
            using (IDiskFile file = node.Disk.Open($"late-{i}", DiskFileMode.CreateNew))
            {
                file.Write(0, "perhaps"u8);
            }

            node.Crash(CrashKind.Power);
            node.Start();
            lost += node.Disk.FileExists($"late-{i}") ? 0 : 1;
        }

        Assert.InRange(lost, 1, 20);
        using IDiskFile again = node.Disk.Open("synced", DiskFileMode.Existing);
        byte[] read = new byte[4];
        Assert.Equal(4, again.Read(0, read));
        Assert.Equal("kept"u8, read);
    }

    [Fact]
    public void A_crash_in_the_disk_ends_the_life_and_nothing_else()
    {
        SimulatedNode node = _small.Nodes[1];
        node.CrashInDisk(operations: 1, CrashKind.Process);
        _small.World.After(10, node.Life, () => node.Disk.CreateFolder("x"));
        _small.RunFor(100);
        Assert.False(node.IsUp);
        Assert.Null(_small.World.History.Violation);
        Assert.Equal(1, _small.World.Totals.Crashes);
    }

    [Fact]
    public void A_node_that_stops_without_cause_is_a_violation()
    {
        _small.World.After(10, _small.Nodes[1].Life, () => throw new InvalidOperationException("a bug"));
        _small.RunFor(100);
        Assert.Equal("STOPPED", _small.World.History.Violation?.Promise);
    }

    [Fact]
    public void A_node_that_stops_because_its_disk_failed_is_none()
    {
        SimulatedNode node = _small.Nodes[1];
        INodeEnvironment environment = _small.Broker(1).Environment;
        node.MayStop = true;
        node.Medium.Arm(SimulatedDiskFault.WriteFails);
        IDiskFile file = node.Disk.Open("x", DiskFileMode.CreateNew);
        ISection section = environment.CreateSection("s", new NoTurn());
        IDiskQueue queue = environment.CreateDiskQueue(section);
        _small.World.After(10, node.Life, () => section.RunFirst(() => queue.Submit(DiskLane.Journal, new WriteOne(file))));
        _small.RunFor(1_000_000);
        Assert.False(node.IsUp);
        Assert.Null(_small.World.History.Violation);
        Assert.Equal(1, _small.World.Totals.DiskStops);
    }

    [Fact]
    public void A_node_without_room_to_start_is_off_again_and_starts_once_there_is_room()
    {
        SimulatedNode node = _small.Nodes[1];
        int ends = 0;
        node.Ended = _ => ends++;
        node.Crash(CrashKind.Process);
        node.Medium.CapacityBytesMax = node.Medium.UsedBytes;
        node.Start();
        Assert.False(node.IsUp);
        Assert.Null(node.Life);
        Assert.Equal((2, 1L), (ends, _small.World.Totals.StartsWithoutRoom));
        Assert.Null(_small.World.History.Violation);

        node.Medium.CapacityBytesMax = long.MaxValue;
        node.Start();
        Assert.True(node.IsUp);
    }

    [Fact]
    public void Disk_work_reads_its_bytes_when_it_completes_and_not_before()
    {
        INodeEnvironment environment = _small.Broker(0).Environment;
        IDiskFile file = _small.Nodes[0].Disk.Open("x", DiskFileMode.CreateNew);
        ISection section = environment.CreateSection("s", new NoTurn());
        IDiskQueue queue = environment.CreateDiskQueue(section);
        WriteOne work = new(file);
        section.RunFirst(() => queue.Submit(DiskLane.Journal, work));
        Assert.Equal(0, file.Length);
        work.Byte = 77;
        _small.RunFor(1_000_000);
        byte[] read = new byte[1];
        file.Read(0, read);
        Assert.Equal(77, read[0]);
        Assert.True(work.IsComplete);
    }

    [Fact]
    public void A_process_that_stands_still_does_nothing_while_its_disk_goes_on_and_then_gets_all_that_came()
    {
        SimulatedNode node = _small.Nodes[0];
        IDiskFile file = node.Disk.Open("x", DiskFileMode.CreateNew);
        ISection section = _small.Broker(0).Environment.CreateSection("s", new NoTurn());
        IDiskQueue queue = _small.Broker(0).Environment.CreateDiskQueue(section);
        WriteOne work = new(file);
        section.RunFirst(() => queue.Submit(DiskLane.Journal, work));
        node.Life!.Pause();
        int ticks = _small.Broker(0).Ticks;
        for (byte i = 0; i < 5; i++)
        {
            _small.Send(1, 0, PeerLane.Append, i);
            _small.RunFor(100_000);
        }

        Assert.Equal(ticks, _small.Broker(0).Ticks);
        Assert.Empty(_small.Broker(0).Frames);
        Assert.Equal((1, false), (file.Length, work.IsComplete));

        // In several turns, or in one after up to 30 ms.
        node.Life.Resume();
        _small.RunFor(35_000);
        Assert.True(work.IsComplete);
        Assert.Equal([0, 1, 2, 3, 4], _small.Broker(0).Frames.Select(f => (int)f.Bytes[0]));
        Assert.InRange(_small.Broker(0).Ticks, ticks + 1, ticks + 5);
    }

    [Fact]
    public void A_process_that_ends_while_it_stands_still_takes_what_came_with_it()
    {
        _small.Nodes[0].Life!.Pause();
        _small.Send(1, 0, PeerLane.Append, 1);
        _small.RunFor(10_000);
        _small.Nodes[0].Crash(CrashKind.Process);
        _small.Nodes[0].Start();
        _small.RunFor(1_000_000);
        Assert.Empty(_small.Broker(0).Frames);
    }

    [Fact]
    public void A_crash_waits_for_work_of_its_kind_and_for_so_many_operations_more()
    {
        SimulatedNode node = _small.Nodes[1];
        bool struck = false;
        node.CrashAtDiskWork("sync of a folder", operationsLater: 1, CrashKind.Process, () => struck = true);
        _small.World.After(10, node.Life, () => node.Disk.CreateFolder("x"));
        _small.World.After(20, node.Life, () => node.Disk.SyncFolder("x"));
        _small.RunFor(25);
        Assert.True(struck);
        Assert.True(node.IsUp);
        _small.World.After(10, node.Life, () => node.Disk.SyncFolder("x"));
        _small.RunFor(100);
        Assert.False(node.IsUp);
    }

    private sealed class NoTurn : ISectionOwner
    {
        public void EndTurn()
        {
        }
    }

    private sealed class WriteOne(IDiskFile file) : DiskWork
    {
        public byte Byte { get; set; } = 1;

        public bool IsComplete { get; private set; }

        public override void Execute(IDisk disk) => file.Write(0, [Byte]);

        public override void Complete() => IsComplete = true;
    }
}
