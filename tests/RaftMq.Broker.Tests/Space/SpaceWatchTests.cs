using RaftMq.Broker.Environment;
using RaftMq.Broker.Space;
using RaftMq.Broker.Tests.Support;
using RaftMq.Storage.Files;
using RaftMq.Storage.Space;

namespace RaftMq.Broker.Tests.Space;

public sealed class SpaceWatchTests
{
    private const long MiB = 1 << 20;

    private static readonly long GrowthBytesMax = new SpaceLimits().GrowthBytesMax;

    private readonly MemoryDisk _medium = new();
    private readonly Queue<DiskWork> _work = new();
    private readonly Clock _clock = new();
    private readonly List<NodeEvent> _told = [];
    private long _free = 100 * MiB;
    private int _changes;

    private SpaceWatch Watch(SpaceLimits limits)
    {
        _medium.Free = () => _free;
        var watch = new SpaceWatch(limits, new Disk(_work), _clock, _told.Add, () => _changes++);
        watch.Start(_medium);
        return watch;
    }

    private void Pass(SpaceWatch watch, int writersWithoutRoom = 0, int ms = 1_000)
    {
        for (int passed = 0; passed < ms; passed += 10)
        {
            _clock.MonotonicMs += 10;
            watch.Tick();
            while (_work.TryDequeue(out DiskWork? work))
            {
                work.Execute(_medium);
                work.Complete();
            }
        }

        watch.WithoutRoom(writersWithoutRoom);
    }

    [Fact]
    public void Records_are_refused_below_the_mark_and_taken_again_above_it_without_a_start()
    {
        SpaceWatch watch = Watch(new SpaceLimits { FreeBytesMin = 16 * MiB, FreeBytesLow = 32 * MiB });
        Assert.False(watch.IsShort);
        foreach ((long free, bool isShort, int changes) in (ReadOnlySpan<(long, bool, int)>)[(20, false, 0), (15, true, 1), (17, true, 1), (18, false, 2), (40, false, 2)])
        {
            _free = free * MiB;
            Pass(watch);
            Assert.Equal((free, isShort, changes), (free, watch.IsShort, _changes));
        }

        Assert.Equal(["DiskLow", "DiskFull", "DiskHasRoom", "DiskHasRoom"], _told.Select(told => told.Name));
    }

    [Fact]
    public void A_full_disk_is_told_once_however_often_it_is_seen_and_its_end_once_it_lasts()
    {
        SpaceWatch watch = Watch(new SpaceLimits { FreeBytesMin = 0, FreeBytesLow = 0 });
        foreach (int without in (int[])[0, 3, 0, 2, 0, 0, 0, 0])
        {
            watch.WithoutRoom(without);
        }

        Assert.Equal(["DiskFull"], _told.Select(told => told.Name));
        watch.WithoutRoom(0);
        watch.WithoutRoom(0);
        Assert.Equal(["DiskFull", "DiskHasRoom"], _told.Select(told => told.Name));
        watch.WithoutRoom(1);
        Assert.Equal(["DiskFull", "DiskHasRoom", "DiskFull"], _told.Select(told => told.Name));
    }

    [Fact]
    public void The_reserve_is_given_back_to_a_writer_without_room_and_made_again_when_there_is_room_to_spare()
    {
        SpaceWatch watch = Watch(new SpaceLimits { FreeBytesMin = 8 * MiB, FreeBytesLow = 0, ReserveBytes = 5 * MiB });
        Pass(watch);
        Assert.Equal(5 * MiB, watch.ReserveBytes);
        Assert.Equal(5 * MiB, ReserveFile.LengthOf(_medium));

        // It was given back, and what is missing of it counts as used: 13 MiB are 8 MiB, which is the mark and not above it by an eighth.
        Pass(watch, writersWithoutRoom: 1);
        _free = 4 * MiB;
        Pass(watch, writersWithoutRoom: 0);
        Assert.Equal((0, false), (watch.ReserveBytes, _medium.FileExists(ReserveFile.Path)));
        _free = 13 * MiB;
        for (int second = 0; second < 10; second++)
        {
            Pass(watch);
        }

        Assert.Equal((0, true), (watch.ReserveBytes, watch.IsShort));
        _free = 14 * MiB;
        Pass(watch, ms: 2_000);
        Assert.Equal((5 * MiB, false), (watch.ReserveBytes, watch.IsShort));
    }

    [Fact]
    public void A_reserve_is_not_all_zeros_and_one_that_is_not_wanted_any_more_goes()
    {
        SpaceWatch watch = Watch(new SpaceLimits { FreeBytesMin = 0, ReserveBytes = 1 * MiB });
        Pass(watch);
        List<byte> held = _medium[ReserveFile.Path];
        Assert.True(held.Distinct().Count() > 200);

        SpaceWatch next = Watch(new SpaceLimits { FreeBytesMin = 0, ReserveBytes = 0 });
        Pass(next);
        Pass(next);
        Assert.False(_medium.FileExists(ReserveFile.Path));
    }

    [Fact]
    public void What_is_written_between_two_looks_is_bounded_and_a_look_ends_it()
    {
        _free = 20 * MiB;
        SpaceLimits limits = new() { FreeBytesMin = 16 * MiB };
        SpaceWatch watch = Watch(limits);
        watch.Written(limits.GrowthBytesKept);
        Assert.False(watch.IsBlind);
        watch.Written(1);
        Assert.True(watch.IsBlind);
        Pass(watch, ms: 10);
        Assert.False(watch.IsBlind);
        Assert.Equal(1, _changes);
    }

    [Fact]
    public void With_much_room_more_may_be_written_between_two_looks()
    {
        _free = 1000 * MiB;
        SpaceWatch watch = Watch(new SpaceLimits { FreeBytesMin = 200 * MiB });
        watch.Written(200 * MiB);
        Assert.False(watch.IsBlind);
        watch.Written(1);
        Assert.True(watch.IsBlind);
    }

    [Fact]
    public void Much_that_is_written_asks_for_a_look_before_its_time()
    {
        SpaceWatch watch = Watch(new SpaceLimits { FreeBytesMin = 16 * MiB });
        Pass(watch, ms: 10);
        _free = 1 * MiB;
        Pass(watch, ms: 100);
        Assert.False(watch.IsShort);
        watch.Written((GrowthBytesMax / 4) + 1);
        Pass(watch, ms: 10);
        Assert.True(watch.IsShort);
    }

    private sealed class Clock : IClock
    {
        public long MonotonicMs { get; set; } = 1_000;

        public long UnixMs => MonotonicMs;
    }

    private sealed class Disk(Queue<DiskWork> work) : IDiskQueue
    {
        public void Submit(DiskLane lane, DiskWork submitted) => work.Enqueue(submitted);
    }
}
