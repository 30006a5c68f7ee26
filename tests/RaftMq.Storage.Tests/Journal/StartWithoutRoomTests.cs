using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Space;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>A start on a full disk (D-14): the reserve makes room for what a start must write, and without it a small journal file will do.</summary>
public sealed class StartWithoutRoomTests
{
    private static readonly GroupId A = Records.Group(1);

    private static readonly JournalOptions Options = new() { FileBytes = 128 * 4096, TotalBytesMax = 8 * 128 * 4096, BatchBytesMax = 8 * 4096 };

    [Fact]
    public void A_start_that_finds_no_room_gives_the_reserve_back_and_goes_on()
    {
        JournalRig rig = Written();
        Reserve(rig.Disk, Options.FileBytes);
        rig.Disk.PowerCut(_ => false);
        rig.Disk.CapacityBytesMax = rig.Disk.UsedBytes;

        var start = new StartDisk(rig.Disk);
        JournalModel replayed = new();
        NodeJournal journal = Open(start, rig, replayed);
        start.Over();
        Assert.False(rig.Disk.FileExists(ReserveFile.Path));
        Assert.Equal(10, replayed.At(A).Entries.Count);
        Assert.Equal(Options.FileBytes, rig.Disk.Open(NewestFile(rig.Disk), DiskFileMode.Existing).Length);
        journal.Dispose();
    }

    [Fact]
    public void A_start_with_room_leaves_the_reserve_alone()
    {
        JournalRig rig = Written();
        Reserve(rig.Disk, 4096);
        rig.Disk.PowerCut(_ => false);
        Open(new StartDisk(rig.Disk), rig, new JournalModel()).Dispose();
        Assert.True(rig.Disk.FileExists(ReserveFile.Path));
    }

    [Fact]
    public void After_the_start_want_of_room_leaves_the_reserve_alone()
    {
        SimulatedDisk disk = new(new RandomSource(1));
        Reserve(disk, 4096);
        var start = new StartDisk(disk);
        IDiskFile file = start.Open("f", DiskFileMode.CreateNew);
        start.Over();
        disk.CapacityBytesMax = disk.UsedBytes;
        Assert.Throws<DiskFullException>(() => file.Write(0, new byte[10]));
        Assert.True(disk.FileExists(ReserveFile.Path));
    }

    [Fact]
    public void Each_call_of_a_start_that_needs_room_gets_it_from_the_reserve()
    {
        Action<IDisk>[] calls =
        [
            disk => disk.CreateFolder("new"),
            disk => disk.Open("new", DiskFileMode.CreateNew).Dispose(),
            disk => disk.Rename("old", "new"),
            disk => With(disk, file => file.Write(0, new byte[100])),
            disk => With(disk, file => file.Write(0, [new byte[50], new byte[50]])),
            disk => With(disk, file => file.WriteUncached(0, [new byte[50], new byte[50]])),
            disk => With(disk, file => file.SetLength(100)),
        ];
        foreach (Action<IDisk> call in calls)
        {
            SimulatedDisk disk = new(new RandomSource(1)) { NameWithoutRoomOneIn = 1 };
            disk.Open("old", DiskFileMode.CreateNew).Dispose();
            Reserve(disk, 8192);
            disk.CapacityBytesMax = disk.UsedBytes;
            Assert.Throws<DiskFullException>(() => call(disk));
            call(new StartDisk(disk));
            Assert.False(disk.FileExists(ReserveFile.Path));
        }
    }

    [Fact]
    public void Without_a_reserve_a_small_first_file_will_do_and_the_next_ones_are_whole_again()
    {
        JournalRig rig = Written();
        rig.Disk.PowerCut(_ => false);
        rig.Disk.CapacityBytesMax = rig.Disk.UsedBytes + (Options.FileBytes / 2);
        rig.Start();
        Assert.InRange(
            rig.Disk.Open(NewestFile(rig.Disk), DiskFileMode.Existing).Length, Options.ReserveBytes, Options.FileBytes / 2);
        rig.Queue.RunAll();
        Assert.True(rig.Journal.HasNoRoom);
        Assert.True(rig.Journal.IsFull);

        // What a full journal still writes.
        rig.Write(new JournalRecord { Group = A, HardState = Records.Hard(9, 1) });
        rig.Disk.CapacityBytesMax = long.MaxValue;
        rig.RestartAndCheck();
        rig.Journal.Tick(1_000);
        rig.Queue.RunAll();
        Assert.False(rig.Journal.HasNoRoom);
        for (long index = 11; index <= 40; index++)
        {
            rig.Write(Records.Of(A, Records.Entry(A, index, 9, 3000)));
        }

        rig.Disk.PowerCut(_ => false);
        rig.RestartAndCheck();
        Assert.Equal(40, rig.Replayed.At(A).Entries.Count);
    }

    [Fact]
    public void Where_nothing_is_free_and_nothing_held_a_start_says_so_and_works_once_there_is_room()
    {
        JournalRig rig = Written();
        rig.Disk.PowerCut(_ => false);
        rig.Disk.CapacityBytesMax = rig.Disk.UsedBytes;
        Assert.Throws<DiskFullException>(() => rig.Start());
        rig.Disk.ProcessCrash();
        rig.Disk.CapacityBytesMax = long.MaxValue;
        rig.RestartAndCheck();
        Assert.Equal(10, rig.Replayed.At(A).Entries.Count);
    }

    [Fact]
    public void A_journal_without_room_for_its_next_file_leaves_what_there_is_to_others()
    {
        // Zeros are written a mebibyte at a time.
        JournalRig rig = new JournalRig(options: Options with { FileBytes = 3 << 20, TotalBytesMax = 12 << 20 }).Start();
        rig.Disk.CapacityBytesMax = rig.Disk.UsedBytes + (3 << 20) - 1;
        rig.Queue.RunAll();
        Assert.True(rig.Journal.HasNoRoom);
        long used = rig.Disk.UsedBytes;
        long before = rig.Disk.Counters.BytesWritten;
        for (int second = 1; second <= 10; second++)
        {
            rig.Journal.Tick(second * 1_000);
            rig.Queue.RunAll();
        }

        // A seal is all that the idle journal writes.
        Assert.InRange(rig.Disk.Counters.BytesWritten - before, 0, 3 * 4096);
        Assert.Equal(used, rig.Disk.UsedBytes);
    }

    [Fact]
    public void A_file_that_is_used_again_and_finds_no_room_for_its_name_is_tried_again()
    {
        JournalRig rig = new JournalRig().Start();
        long index = 1;
        rig.OnReleaseWanted = (group, upTo) => rig.Append(new JournalRecord { Group = group, SegmentsDurable = upTo });
        while (rig.Journal.Statistics.FilesRecycled < 2)
        {
            rig.Write(Records.Of(A, Records.Entry(A, index++, 1, 3000)));
        }

        rig.Disk.NameWithoutRoomOneIn = 1;
        rig.Disk.CapacityBytesMax = rig.Disk.UsedBytes;
        for (int i = 0; i < 60 && !rig.Journal.HasNoRoom; i++)
        {
            rig.Append(Records.Of(A, Records.Entry(A, index++, 1, 3000)));
            rig.Journal.Flush();
            rig.Queue.RunAll();
        }

        Assert.True(rig.Journal.HasNoRoom);
        rig.Disk.NameWithoutRoomOneIn = 0;
        rig.Journal.Tick(10_000);
        rig.Queue.RunAll();
        Assert.False(rig.Journal.HasNoRoom);
        rig.Disk.PowerCut(_ => false);
        rig.RestartAndCheck();
    }

    private static JournalRig Written()
    {
        JournalRig rig = new JournalRig(options: Options).Start();

        // The next file can't be prepared, which the next start would use.
        rig.Disk.CapacityBytesMax = rig.Disk.UsedBytes;
        for (long index = 1; index <= 10; index++)
        {
            rig.Write(Records.Of(A, Records.Entry(A, index, 1, 3000)));
        }

        rig.Disk.CapacityBytesMax = long.MaxValue;
        return rig;
    }

    private static NodeJournal Open(IDisk disk, JournalRig rig, JournalModel replayed) =>
        JournalRecovery.Open(disk, Options, JournalRig.Store, replayed, new SteppedDiskQueue(rig.Disk), rig);

    private static string NewestFile(SimulatedDisk disk) => "journal/" + disk.List("journal")[^1];

    private static void Reserve(SimulatedDisk disk, long bytes)
    {
        var queue = new SteppedDiskQueue(disk);
        var reserve = new ReserveFile(queue, bytes);
        while (reserve.MissingBytes > 0)
        {
            reserve.Grow();
            queue.RunAll();
        }

        Assert.Equal(bytes, ReserveFile.LengthOf(disk));
    }

    private static void With(IDisk disk, Action<IDiskFile> act)
    {
        using IDiskFile file = disk.Open("old", DiskFileMode.Existing);
        act(file);
    }
}
