using System.Globalization;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Space;
using RaftMq.Raft;

namespace RaftMq.Server.Telemetry;

/// <summary>What the node's replicas look like, from the last look at them, and what the process uses.</summary>
internal sealed class NodeMetrics
{
    private readonly Func<NodeStatus?> _status;

    /// <param name="registry">Where they are shown.</param>
    /// <param name="sampler">Of the node.</param>
    /// <param name="isOpen">Clients are let in.</param>
    /// <param name="cluster">As this node knows it.</param>
    public NodeMetrics(MetricRegistry registry, StatusSampler sampler, Func<bool> isOpen, Func<ClusterImage> cluster)
    {
        _status = () => sampler.Last;
        registry.Gauge("raftmq_node_ready", "1 when the node is part of its cluster and serves clients.", () => isOpen() ? 1 : 0);
        registry.Gauge(
            "raftmq_node_records_per_second", "Records that became visible in the partitions this node leads, per second between the last two looks at its status.",
            () => sampler.MessagesPerSecond);
        registry.Gauge("raftmq_node_replicas", "Replicas on this node.", () => _status()?.Replicas.Length ?? 0);
        registry.Gauge(
            "raftmq_node_damaged_groups", "Replicas of which durable bytes are damaged here (promise DETECTED): they did not start, or run and lead only while nobody else can.",
            () => _status()?.Damaged.Length ?? 0);
        OfStatus(
            registry, "raftmq_node_mended_files_total", "Segments and checkpoints that were damaged or lost here and were replaced by what other replicas have.",
            status => status.Repairs.Files);
        OfStatus(registry, "raftmq_node_mended_bytes_total", "Bytes taken from other replicas to mend files here.", status => status.Repairs.Bytes);
        OfStatus(registry, "raftmq_node_scrubbed_bytes_total", "Bytes of segments and checkpoints read to find damage.", status => status.Scrub.Bytes);
        OfStatus(registry, "raftmq_node_scrub_found_total", "Files that this found damaged since the start.", status => status.Scrub.Found);
        OfStatus(registry, "raftmq_node_scrub_passes_total", "Times that all of them were read since the start.", status => status.Scrub.Passes);
        registry.Gauge(
            "raftmq_node_replicas_without_room", "Replicas for which the disk had no room when they last tried; those that lead refuse produce.",
            () => _status()?.Replicas.Count(replica => replica.HasNoRoom) ?? 0);
        registry.Gauge(
            "raftmq_node_disk_full", "1 while the node takes no records for want of room: less is free than disk.free.bytes.min, or something found no room a short while ago.",
            () => _status()?.Room == RoomLevel.Short ? 1 : 0);
        registry.Gauge(
            "raftmq_node_disk_free_bytes", "What the disk of the data folder has for the node.", () => _status()?.FreeBytes ?? 0);
        registry.Gauge(
            "raftmq_node_disk_reserve_bytes", "What the node holds in its reserve file; less than disk.reserve.bytes once it was given back.",
            () => _status()?.ReserveBytes ?? 0);
        registry.Gauge(
            "raftmq_journal_full", "1 while the journal takes neither produces nor appends: its files are full, or its disk is too slow. 0 on a full disk.",
            () => _status()?.IsJournalFull == true ? 1 : 0);
        registry.Gauge(
            "raftmq_node_slow_disk", "1 while the disk does not keep up, and for a second to a minute after: what this node leads goes to others.",
            () => _status()?.IsDiskSlow == true ? 1 : 0);
        registry.Gauge(
            "raftmq_node_links_broken",
            "Nodes that others hear and with which this one has contact in one direction at most, and for two seconds to a minute after: groups with members there are led by "
            + "nodes that miss fewer.",
            () => _status()?.LinksBroken ?? 0);
        registry.Gauge("raftmq_cluster_nodes", "Nodes of the cluster, as this one knows it.", () => cluster().Nodes.Count);
        registry.Gauge(
            "raftmq_cluster_nodes_down", "Nodes of the cluster that this one does not hear.", () => cluster().Nodes.Values.Count(node => !node.Alive));
        registry.Gauge(
            "raftmq_cluster_draining_replicas", "Replicas that nodes which are drained or leave still hold; as every node knows it.",
            () => cluster() is var image ? image.Nodes.Where(node => node.Value.Duty != NodeDuty.Serving).Sum(node => image.ReplicasOn(node.Key)) : 0);
        registry.Gauge(
            "raftmq_cluster_balancing", "1 while placement is being made even (raftmq cluster balance); as every node knows it.",
            () => cluster().IsBalancing ? 1 : 0);
        PerNode(
            registry, "raftmq_node_produces_held_total",
            "Produces that had to wait for room in the journal or among uncommitted entries, or for a leader to settle.", holds => holds.Produces);
        PerNode(
            registry, "raftmq_node_produces_timed_out_total", "Held produces whose time was up before they could be written.",
            holds => holds.ProducesTimedOut);
        PerNode(
            registry, "raftmq_node_appends_held_off_total",
            "Appends of other nodes' leaders that were not taken because the journal was full; they are sent again.", holds => holds.Appends);
        PerPartition(registry, "raftmq_partition_leader", "1 on the node that leads the partition.", replica => replica.Role == Role.Leader ? 1 : 0);
        PerPartition(registry, "raftmq_partition_term", "The Raft term, which is Kafka's leader epoch.", replica => replica.Term);
        PerPartition(registry, "raftmq_partition_log_start_offset", "First offset that consumers may read.", replica => replica.LogStart);
        PerPartition(registry, "raftmq_partition_high_watermark_offset", "Offset behind the last committed record.", replica => replica.HighWatermark);
        PerPartition(registry, "raftmq_partition_log_end_offset", "Offset behind the last record, committed or not.", replica => replica.LogEnd);
        PerPartition(registry, "raftmq_partition_size_bytes", "Bytes in segment files of this replica.", replica => replica.SegmentBytes);
        PerPartition(registry, "raftmq_partition_in_sync_replicas", "Voters in sync, on the leader.", replica => replica.InSync, leaderOnly: true);
        PerPartition(registry, "raftmq_partition_voters", "Voters, on the leader.", replica => replica.Voters, leaderOnly: true);
        PerPartition(registry, "raftmq_partition_pending_produces", "Produces on their way or waiting, on the leader.", replica => replica.Pending, leaderOnly: true);
        ProcessMetrics(registry);
    }

    private void PerNode(MetricRegistry registry, string name, string help, Func<HoldStatus, long> value) => registry.Register(
        new MetricFamily(name, MetricKind.Counter, help), writer => writer.Sample(value(_status()?.Holds ?? default)));

    private void OfStatus(MetricRegistry registry, string name, string help, Func<NodeStatus, long> value) => registry.Register(
        new MetricFamily(name, MetricKind.Counter, help), writer => writer.Sample(_status() is { } status ? value(status) : 0));

    private static void ProcessMetrics(MetricRegistry registry)
    {
        registry.Gauge("raftmq_process_resident_memory_bytes", "Resident memory of the process.", () => Environment.WorkingSet);
        registry.Gauge("raftmq_process_heap_bytes", "Memory of the managed heap in use.", () => GC.GetTotalMemory(forceFullCollection: false));
        registry.Register(
            new MetricFamily("raftmq_process_cpu_seconds_total", MetricKind.Counter, "Processor time used."),
            writer => writer.Sample(Environment.CpuUsage.TotalTime.TotalSeconds));
        registry.Register(
            new MetricFamily("raftmq_process_collections_total", MetricKind.Counter, "Garbage collections.", "generation"),
            writer =>
            {
                for (int generation = 0; generation <= GC.MaxGeneration; generation++)
                {
                    writer.Sample(GC.CollectionCount(generation), generation.ToString(CultureInfo.InvariantCulture));
                }
            });
        registry.Register(
            new MetricFamily("raftmq_process_collection_pause_seconds_total", MetricKind.Counter, "Time for which collections stopped the process."),
            writer => writer.Sample(GC.GetTotalPauseDuration().TotalSeconds));
    }

    private void PerPartition(MetricRegistry registry, string name, string help, Func<ReplicaStatus, double> read, bool leaderOnly = false) =>
        registry.Register(new MetricFamily(name, MetricKind.Gauge, help, "topic", "partition"), writer =>
        {
            foreach (ReplicaStatus replica in _status()?.Replicas ?? [])
            {
                if (replica.Topic is not null && (!leaderOnly || replica.Role == Role.Leader))
                {
                    writer.Sample(read(replica), replica.Topic, replica.Partition.ToString(CultureInfo.InvariantCulture));
                }
            }
        });
}
