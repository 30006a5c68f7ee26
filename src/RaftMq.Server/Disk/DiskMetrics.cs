using RaftMq.Server.Telemetry;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Disk;

/// <summary>What the disk does, by the lane on whose thread it is done; <c>start</c> is recovery, before the lanes run.</summary>
internal sealed class DiskMetrics
{
    private static readonly string[] LaneNames = ["journal", "background", "read", "start"];
    private const int NoLane = 3;

    [ThreadStatic]
    private static int t_lanePlusOne;

    private readonly Histogram[] _syncs;
    private readonly Histogram[] _writes;
    private readonly Counter[] _writtenBytes;
    private readonly Counter[] _readBytes;

    public DiskMetrics(MetricRegistry registry)
    {
        _syncs = registry.Histograms(
            "raftmq_disk_sync_duration_seconds", "How long one fdatasync took.", Histogram.OfDurations, "lane", LaneNames);
        _writes = registry.Histograms(
            "raftmq_disk_write_size_bytes",
            "Bytes of one write; in lane journal this is the group-commit batch as written.", Histogram.OfSizes, "lane", LaneNames);
        _writtenBytes = registry.Counters("raftmq_disk_written_bytes_total", "Bytes written to files.", "lane", LaneNames);
        _readBytes = registry.Counters("raftmq_disk_read_bytes_total", "Bytes read from files.", "lane", LaneNames);
        WaitingReads = registry.Gauge("raftmq_disk_reads_waiting", "Reads that wait for a thread of the read lane.");
        UnreadableFiles = registry.Counter(
            "raftmq_disk_unreadable_files_total", "Files of which a block could not be read back, each counted once in a run of the process, a thousand at most.");
        ReadsByCaller = registry.Counter(
            "raftmq_disk_reads_by_caller_total", "Reads done by the shard itself because the read lane's queue was at its limit.");
    }

    public Gauge WaitingReads { get; }

    public Counter UnreadableFiles { get; }

    public Counter ReadsByCaller { get; }

    private static int Lane => t_lanePlusOne == 0 ? NoLane : t_lanePlusOne - 1;

    /// <summary>Marks the calling thread as one of the lane's.</summary>
    public static void EnterLane(DiskLane lane) => t_lanePlusOne = (int)lane + 1;

    public void Synced(long durationNs) => _syncs[Lane].Observe(durationNs);

    public void Written(long bytes)
    {
        _writes[Lane].Observe(bytes);
        _writtenBytes[Lane].Add(bytes);
    }

    public void Read(long bytes) => _readBytes[Lane].Add(bytes);
}
