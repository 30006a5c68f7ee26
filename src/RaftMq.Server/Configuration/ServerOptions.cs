using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Configuration;

/// <summary>Everything an operator decides about a node. All of it is read at the start; files of certificates are read again when they change.</summary>
internal sealed record ServerOptions
{
    [Setting("node.id", "Number of this node, unique in the cluster and never used again for another one.", Min = 0, Max = 999_999)]
    public int NodeId { get; init; }

    [Setting(
        "data.folder", "Where the node keeps everything. One node per folder; never move it between node ids.",
        DefaultText = "raftmq-data/node-<node.id>")]
    public string DataFolder { get; init; } = "";

    [Setting("rack", "Where the node stands; replicas of a partition are spread over racks. Empty: not said.")]
    public string Rack { get; init; } = "";

    [Setting("listeners", "Where clients connect: scheme://host:port, scheme kafka or kafkas (TLS), `name@` before it; several with commas.")]
    public ImmutableArray<ListenerSetting> Listeners { get; init; } =
        [new ListenerSetting("kafka", ListenerScheme.Kafka, new HostPort("localhost", 9092))];

    [Setting(
        "advertised.listeners", "What clients are told to connect to: name@host:port, one per listener that is reached under another address.",
        DefaultText = "the listener's own address")]
    public ImmutableArray<AdvertisedSetting> AdvertisedListeners { get; init; } = [];

    [Setting("peers.listen", "Where the other nodes connect: host:port.")]
    public HostPort PeersListen { get; init; } = new("127.0.0.1", 7070);

    [Setting("peers.advertised", "Where the other nodes are told to connect.", DefaultText = "peers.listen")]
    public HostPort? PeersAdvertised { get; init; }

    [Setting(
        "cluster.initial.nodes",
        "The nodes that form the cluster when all of them are empty: id@host:port with their peers' ports, the same list on all of them.",
        DefaultText = "this node alone")]
    public ImmutableArray<NodeAddress> InitialNodes { get; init; } = [];

    [Setting(
        "cluster.seeds",
        "Peers' addresses of some nodes of a cluster, host:port: with an empty folder this node joins that cluster and never forms one.",
        DefaultText = "none")]
    public ImmutableArray<HostPort> Seeds { get; init; } = [];

    [Setting("http.listen", "Where admin API, metrics and health are served: host:port.")]
    public HostPort HttpListen { get; init; } = new("localhost", 8080);

    [Setting(
        "http.advertised", "Where the command line finds this node's HTTP when another node tells it.",
        DefaultText = "http.listen; when that is every address, the host of peers.advertised")]
    public HostPort? HttpAdvertised { get; init; }

    [Setting("auto.create.topics.enable", "Topics are created on first use. Turn it off in production.")]
    public bool AutoCreateTopics { get; init; } = true;

    [Setting("num.partitions", "Partitions of a topic for which nobody said a number.", Min = 1, Max = 10_000)]
    public int DefaultPartitions { get; init; } = 4;

    [Setting("default.replication.factor", "Replicas of a topic for which nobody said a number; at most one per node.", Min = 1, Max = 7)]
    public int DefaultReplicationFactor { get; init; } = 3;

    [Setting("offsets.topic.num.partitions", "Partitions of the internal topic of consumer groups; fixed once the cluster is formed.", Min = 1, Max = 1000)]
    public int OffsetsPartitions { get; init; } = 16;

    [Setting("replica.lag.max", "A replica that has not had everything for so long is not in sync.", Min = 100)]
    public TimeSpan ReplicaLagMax { get; init; } = TimeSpan.FromSeconds(10);

    [Setting("leader.balance.delay", "How long another replica than the preferred one leads once that one has caught up.", Min = 0)]
    public TimeSpan LeaderBalanceDelay { get; init; } = TimeSpan.FromSeconds(5);

    [Setting("scrub.interval", "All segments and checkpoints are read again at most this often, as far as limits.scrub.bytes.per.second allows.", Min = 1_000)]
    public TimeSpan ScrubInterval { get; init; } = TimeSpan.FromDays(1);

    [Setting("log.level", "Least level that is logged: trace, debug, information, warning, error.")]
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    [Setting("log.format", "text: a line for people. json: a document per line, with the event's id and facts by name.")]
    public LogFormat LogFormat { get; init; } = LogFormat.Text;

    public TlsSettings Tls { get; init; } = new();

    public JournalSettings Journal { get; init; } = new();

    public GroupSettings Groups { get; init; } = new();

    public DiskSettings Disk { get; init; } = new();

    public LimitSettings Limits { get; init; } = new();
}
