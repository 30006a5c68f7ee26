using RaftMq.Broker;
using RaftMq.Broker.Cluster;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Space;
using RaftMq.Kafka.Groups;
using RaftMq.Raft;
using RaftMq.Server.Configuration;
using RaftMq.Storage.Journal;

namespace RaftMq.Server.Hosting;

/// <summary>The node of the product, from what the operator wrote.</summary>
internal static class NodeFactory
{
    public static INode Create(NodeContext context) => new BrokerNodeHost(new BrokerNode(
        BrokerOptions(context.Options), NodeSettings(context), JournalOptions(context.Options.Journal), new SubscriptionReader(),
        context.Environment));

    public static JournalOptions JournalOptions(JournalSettings journal) => new()
    {
        FileBytes = journal.FileBytes,
        TotalBytesMax = journal.TotalBytes,
        BatchBytesMax = journal.BatchBytes,
    };

    public static BrokerOptions BrokerOptions(ServerOptions options) => new()
    {
        AutoCreateTopics = options.AutoCreateTopics,
        DefaultPartitions = options.DefaultPartitions,
        DefaultReplicationFactor = options.DefaultReplicationFactor,
        OffsetsPartitions = options.OffsetsPartitions,
        ReplicaLagMax = options.ReplicaLagMax,
        LeaderBalanceDelay = options.LeaderBalanceDelay,
        ScrubInterval = options.ScrubInterval,
        Groups = new GroupsConfig
        {
            InitialRebalanceDelayMs = (int)options.Groups.InitialRebalanceDelay.TotalMilliseconds,
            OffsetsRetentionMs = (long)options.Groups.OffsetsRetention.TotalMilliseconds,
        },
        Space = new SpaceLimits
        {
            FreeBytesMin = options.Disk.FreeBytesMin,
            FreeBytesLow = options.Disk.FreeBytesLow,
            ReserveBytes = options.Disk.ReserveBytes ?? 2 * options.Journal.FileBytes,
        },
        Limits = new BrokerLimits
        {
            RecordBatchBytesMax = options.Limits.RecordBatchBytes,
            UncommittedBytesPerGroup = options.Limits.UncommittedBytesPerGroup,
            UncommittedBytesPerNode = options.Limits.UncommittedBytesPerNode,
            JournalQueueBytes = options.Limits.JournalQueueBytes,
            ReplicationWindowEntries = options.Limits.ReplicationWindowEntries,
            ReplicationWindowBytes = options.Limits.ReplicationWindowBytes,
            TailBytes = options.Limits.TailBytes,
            PeerQueueBytesMax = options.Limits.PeerQueueBytes,
            WaitingProducesPerPartition = options.Limits.WaitingProducesPerPartition,
            RecoveryBytesPerSecond = options.Limits.RecoveryBytesPerSecond,
            ScrubBytesPerSecond = options.Limits.ScrubBytesPerSecond,
            Movements = options.Limits.Movements,
        },
    };

    public static NodeSettings NodeSettings(NodeContext context)
    {
        ServerOptions options = context.Options;
        return new NodeSettings
        {
            Self = new NodeId(options.NodeId),
            InitialNodes = options.InitialNodes.IsEmpty
                ? options.Seeds.IsEmpty ? [new NodeId(options.NodeId)] : []
                : [.. options.InitialNodes.Select(node => new NodeId(node.NodeId))],
            Rack = options.Rack.Length == 0 ? null : options.Rack,
            Listeners = context.Listeners,
        };
    }
}
