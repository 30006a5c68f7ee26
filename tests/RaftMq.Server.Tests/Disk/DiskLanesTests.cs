using System.Collections.Concurrent;
using RaftMq.Broker.Environment;
using RaftMq.Server.Disk;
using RaftMq.Server.Sections;
using RaftMq.Server.Telemetry;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Tests.Disk;

public sealed class DiskLanesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MetricRegistry _registry = new();
    private readonly DiskMetrics _metrics;
    private readonly RealDisk _disk;
    private readonly Owner _owner = new();
    private readonly ExclusiveSection _section;
    private readonly ConcurrentQueue<Exception> _fatal = new();

    public DiskLanesTests()
    {
        _metrics = new DiskMetrics(_registry);
        _disk = new RealDisk(_folder.Path, _metrics);
        _section = new ExclusiveSection("test", _owner, (_, cause) => _fatal.Enqueue(cause));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(DiskLane.Journal)]
    [InlineData(DiskLane.Background)]
    public async Task Lane_executes_one_at_a_time_and_completes_in_order(DiskLane lane)
    {
        using var lanes = new DiskLanes(_disk, new DiskOptions(), _metrics, (_, cause) => _fatal.Enqueue(cause));
        var queue = new DiskQueue(_section, lanes);
        var completed = new List<int>();
        int executing = 0;
        int met = 0;

        for (int i = 0; i < 5000; i++)
        {
            int number = i;
            _section.Post(new Work(() => queue.Submit(lane, new Job(
                () =>
                {
                    met += Interlocked.Increment(ref executing) == 1 ? 0 : 1;
                    Interlocked.Decrement(ref executing);
                },
                () => completed.Add(number)))));
        }

        await Eventually.HoldsAsync(() => completed.Count == 5000, () => $"{completed.Count} completed, {string.Join(';', _fatal)}");
        Assert.Equal(Enumerable.Range(0, 5000), completed);
        Assert.Equal(0, met);
        Assert.Empty(_fatal);
    }

    /// <summary>The journal's own pattern, with others that keep the section busy: the lane's thread carries the section and must not starve its lane.</summary>
    [Fact]
    public async Task Journal_goes_on_while_its_thread_carries_the_section()
    {
        using var lanes = new DiskLanes(_disk, new DiskOptions(), _metrics, (_, cause) => _fatal.Enqueue(cause));
        var queue = new DiskQueue(_section, lanes);
        int batches = 0;
        bool inFlight = false;
        bool stop = false;
        _owner.OnTurn = () =>
        {
            if (!inFlight && !stop)
            {
                inFlight = true;
                queue.Submit(DiskLane.Journal, new Job(static () => { }, () => { inFlight = false; batches++; }));
            }
        };
        Thread[] posters = [.. Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            // As connections do, each poster has a bounded number of works under way; together they hardly ever leave the section free.
            var room = new SemaphoreSlim(64);
            while (!Volatile.Read(ref stop))
            {
                room.Wait();
                _section.Post(new Work(() =>
                {
                    Thread.SpinWait(50);
                    room.Release();
                }));
            }
        }) { IsBackground = true })];
        Array.ForEach(posters, poster => poster.Start());

        await Eventually.HoldsAsync(() => Volatile.Read(ref batches) > 2000, () => $"{batches} batches");

        Volatile.Write(ref stop, true);
        Array.ForEach(posters, poster => poster.Join());
        Assert.Empty(_fatal);
    }

    /// <summary>The same, pinned down: the lane's own thread stays in the section with work that ends only when the lane has gone on.</summary>
    [Fact]
    public async Task Deputy_writes_the_next_batch_while_the_lanes_thread_stays_in_the_section()
    {
        using var lanes = new DiskLanes(_disk, new DiskOptions(), _metrics, (_, cause) => _fatal.Enqueue(cause));
        var queue = new DiskQueue(_section, lanes);
        using var posted = new ManualResetEventSlim();
        using var nextExecuted = new ManualResetEventSlim();
        bool? wentOn = null;
        int carrier = 0;
        int executor = 0;
        var next = new Job(
            () =>
            {
                executor = Environment.CurrentManagedThreadId;
                nextExecuted.Set();
            },
            static () => { });
        var first = new Job(posted.Wait, () =>
        {
            queue.Submit(DiskLane.Journal, next);
            _section.Post(new Work(() =>
            {
                carrier = Environment.CurrentManagedThreadId;
                wentOn = nextExecuted.Wait(TimeSpan.FromSeconds(5));
            }));
        });

        _section.Post(new Work(() => queue.Submit(DiskLane.Journal, first)));
        posted.Set();

        await Eventually.HoldsAsync(() => wentOn is not null, () => "the section is not left");
        Assert.True(wentOn);
        Assert.NotEqual(carrier, executor);
        Assert.Empty(_fatal);
    }

    [Fact]
    public async Task Reads_above_the_limit_are_done_by_the_submitter_and_still_complete_later()
    {
        using var lanes = new DiskLanes(
            _disk, new DiskOptions { ReadThreads = 2, ReadsWaitingMax = 4 }, _metrics, (_, cause) => _fatal.Enqueue(cause));
        var queue = new DiskQueue(_section, lanes);
        using var gate = new ManualResetEventSlim();
        using var busy = new CountdownEvent(2);
        int completed = 0;
        for (int i = 0; i < 2; i++)
        {
            _section.Post(new Work(() => queue.Submit(DiskLane.Read, new Job(
                () =>
                {
                    busy.Signal();
                    gate.Wait();
                },
                () => completed++))));
        }

        busy.Wait(TestContext.Current.CancellationToken);
        int completedAtSubmit = -1;
        _section.Post(new Work(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                queue.Submit(DiskLane.Read, new Job(static () => { }, () => completed++));
            }

            completedAtSubmit = completed;
        }));

        Assert.Equal(0, completedAtSubmit);
        Assert.Equal(6, completed);
        Assert.Equal(6, _metrics.ReadsByCaller.Value);
        Assert.Equal(4, _metrics.WaitingReads.Value);
        gate.Set();
        await Eventually.HoldsAsync(() => completed == 12, () => $"{completed} completed");
    }

    [Fact]
    public async Task Full_disk_reaches_the_work_inside_its_section()
    {
        using var lanes = new DiskLanes(_disk, new DiskOptions(), _metrics, (_, cause) => _fatal.Enqueue(cause));
        var queue = new DiskQueue(_section, lanes);
        var job = new Job(() => throw new DiskFullException("no room"), () => { });

        _section.Post(new Work(() => queue.Submit(DiskLane.Background, job)));

        await Eventually.HoldsAsync(() => job.WasFull, () => "nothing");
        Assert.Empty(_fatal);
    }

    [Fact]
    public async Task Fault_is_fatal_and_nothing_completes()
    {
        using var lanes = new DiskLanes(_disk, new DiskOptions(), _metrics, (_, cause) => _fatal.Enqueue(cause));
        var queue = new DiskQueue(_section, lanes);
        bool completed = false;

        _section.Post(new Work(() =>
            queue.Submit(DiskLane.Journal, new Job(() => throw new DiskFaultException("gone"), () => completed = true))));

        await Eventually.HoldsAsync(() => !_fatal.IsEmpty, () => "no report");
        Assert.IsType<DiskFaultException>(_fatal.Single());
        Assert.False(completed);
    }

    [Fact]
    public async Task Syncs_and_writes_are_measured_by_lane()
    {
        using var lanes = new DiskLanes(_disk, new DiskOptions(), _metrics, (_, cause) => _fatal.Enqueue(cause));
        var queue = new DiskQueue(_section, lanes);
        using IDiskFile file = _disk.Open("file", DiskFileMode.CreateNew);
        bool done = false;

        _section.Post(new Work(() => queue.Submit(DiskLane.Journal, new Job(
            () =>
            {
                file.Write(0, new byte[8192]);
                file.Sync();
            },
            () => done = true))));

        await Eventually.HoldsAsync(() => done, () => "not done");
        string text = _registry.WriteText();
        Assert.Contains("raftmq_disk_sync_duration_seconds_count{lane=\"journal\"} 1\n", text);
        Assert.Contains("raftmq_disk_write_size_bytes_bucket{lane=\"journal\",le=\"4096\"} 0\n", text);
        Assert.Contains("raftmq_disk_write_size_bytes_bucket{lane=\"journal\",le=\"8192\"} 1\n", text);
        Assert.Contains("raftmq_disk_written_bytes_total{lane=\"journal\"} 8192\n", text);
    }

    private sealed class Owner : ISectionOwner
    {
        public Action OnTurn { get; set; } = () => { };

        public void EndTurn() => OnTurn();
    }

    private sealed class Work(Action run) : SectionWork
    {
        public override void Run() => run();
    }

    private sealed class Job(Action execute, Action complete) : DiskWork
    {
        public bool WasFull { get; private set; }

        public override void Execute(IDisk disk) => execute();

        public override void Complete() => complete();

        public override void Full(DiskFullException fault) => WasFull = true;
    }
}
