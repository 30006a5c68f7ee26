using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Kafka;
using RaftMq.Raft;
using RaftMq.Server.Admin;
using RaftMq.Server.Configuration;
using RaftMq.Server.Disk;
using RaftMq.Server.Listeners;
using RaftMq.Server.Peers;
using RaftMq.Server.Security;
using RaftMq.Server.Telemetry;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Hosting;

/// <summary>
/// A node with everything around it. Its life:
/// 1. <see cref="Prepare"/>: the folder is locked and the ports are taken, so that what is wrong outside is found before anything starts;
/// 2. <see cref="StartAsync"/>: the node recovers its data, then HTTP, peers and time begin; Kafka clients are let in once the node
///    is ready;
/// 3. <see cref="DrainAsync"/>: no new clients, leadership goes to others, checkpoints are written;
/// 4. disposed, in the reverse order of the start.
/// </summary>
internal sealed partial class NodeProcess : IAsyncDisposable
{
    private const string HttpListenKey = "http.listen";

    /// <summary>The node itself gives up handing over after 5 s; what is above is for its checkpoints.</summary>
    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(15);

    /// <summary>Clients go on asking while the node stops, so it never falls quite silent by itself.</summary>
    private static readonly TimeSpan AnswersMax = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ReadyCheckEvery = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LearnEvery = TimeSpan.FromSeconds(1);

    private readonly ServerOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Action<string, Exception> _fatal;
    private readonly Func<NodeContext, INode> _createNode;
    private readonly MetricRegistry _metrics = new();
    private readonly LimitMetrics _limits;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<KafkaListener> _listeners = [];
    private readonly TaskCompletionSource _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DataFolderLock _lock = null!;
    private DiskLanes _lanes = null!;
    private LatentErrorDisk _disk = null!;
    private PeerTransport _peers = null!;
    private INode? _node;
    private HttpFace _http = null!;
    private Ticker? _ticker;
    private Task _opening = Task.CompletedTask;
    private volatile bool _isOpen;
    private volatile bool _isDraining;

    public NodeProcess(
        ServerOptions options, ILoggerFactory loggers, Action<string, Exception> fatal, Func<NodeContext, INode> createNode)
    {
        _options = options;
        _loggers = loggers;
        _logger = loggers.CreateLogger("RaftMq");
        _fatal = fatal;
        _createNode = createNode;
        _limits = new LimitMetrics(_metrics);
    }

    private bool LetsClientsIn => _isOpen && !_isDraining;

    public MetricRegistry Metrics => _metrics;

    /// <summary>Done when Kafka clients are let in; fails when the cluster refuses this node.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Fails when the cluster does not want this node any more, after it was ready.</summary>
    public Task Removed => _removed.Task;

    public IReadOnlyList<IPEndPoint> KafkaAddresses => [.. _listeners.SelectMany(listener => listener.Addresses)];

    public IReadOnlyList<IPEndPoint> PeerAddresses => _peers.Addresses;

    public IReadOnlyList<IPEndPoint> HttpAddresses => _http.Addresses;

    /// <exception cref="CannotStartException">Says what is in the way.</exception>
    public void Prepare()
    {
        _lock = DataFolderLock.Take(_options.DataFolder);
        PrepareDisk();
        PreparePeers();
        PrepareListeners();
        PrepareHttp();
    }

    /// <exception cref="CannotStartException">The data can't be read by this version, or a port was taken meanwhile.</exception>
    public async Task StartAsync()
    {
        HostPort peers = AdvertisedAddresses.OfPeers(_options, _peers.Addresses[0].Port);
        var environment = new ServerEnvironment(_disk, _lanes, _peers, _fatal, _logger);
        _node = _createNode(new NodeContext(_options, environment, AdvertisedAddresses.Of(_options, _listeners, peers, _http.Addresses[0].Port)));
        _node.Start();
        var sampler = new StatusSampler(_node.CollectStatus);
        _ = new NodeMetrics(_metrics, sampler, () => LetsClientsIn, () => _node.Broker.Cluster);
        _limits.Add(() => sampler.Last?.Limits ?? []);
        await StartHttpAsync(new HttpSources(_node, sampler, _metrics, _options.DataFolder, () => LetsClientsIn, WaitsBecause));
        StartPeers(_node);
        _ticker = new Ticker(_node, _fatal);
        _opening = Task.Run(() => OpenWhenReadyAsync(_node, environment.Clock, _stop.Token));
    }

    /// <summary>Makes the stop cost clients nothing but a retry.</summary>
    public async Task DrainAsync()
    {
        _isDraining = true;
        _listeners.ForEach(listener => listener.StopAccepting());
        if (_node is null)
        {
            return;
        }

        _node.BeginDrain();
        using var limit = new CancellationTokenSource(DrainMax);
        try
        {
            while (!_node.IsDrained)
            {
                await Task.Delay(ReadyCheckEvery, limit.Token);
            }

            LogDrained();
            await AnswersLeftAsync();
        }
        catch (OperationCanceledException)
        {
            LogNotDrained(DrainMax);
        }
    }

    /// <summary>What was asked before the hand-over is answered, and so its client sent on: a closed connection would leave it in doubt.</summary>
    private async Task AnswersLeftAsync()
    {
        long from = Stopwatch.GetTimestamp();
        while (_listeners.Exists(static listener => listener.MostUsed.Requests > 0) && Stopwatch.GetElapsedTime(from) < AnswersMax)
        {
            await Task.Delay(ReadyCheckEvery);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _opening;
        foreach (KafkaListener listener in _listeners)
        {
            await listener.DisposeAsync();
        }

        if (_http is not null)
        {
            await _http.DisposeAsync();
        }

        _ticker?.Dispose();
        if (_peers is not null)
        {
            await _peers.DisposeAsync();
        }

        _lanes?.Dispose();
        _lock?.Dispose();
        _stop.Dispose();
    }

    private string? WaitsBecause() => _isDraining ? "the node stops: what it leads goes to others" : _peers.RefusedByPeer ?? _node?.NotReadyBecause;

    private void PrepareDisk()
    {
        var metrics = new DiskMetrics(_metrics);
        UnreadableFiles unreadable = new(metrics, block => NodeEventLog.Write(_logger, NodeEvent.Of(block)));
        _disk = new LatentErrorDisk(new RealDisk(_options.DataFolder, metrics), unreadable.Met);
        var options = new DiskOptions
        {
            JournalSpin = _options.Disk.JournalSpin,
            ReadThreads = _options.Disk.ReadThreads,
            ReadsWaitingMax = _options.Disk.ReadsWaitingMax,
        };
        _lanes = new DiskLanes(_disk, options, metrics, _fatal);
        _limits.Add(() => [new LimitUse("disk_reads_waiting", metrics.WaitingReads.Value, options.ReadsWaitingMax)]);
    }

    private void PreparePeers()
    {
        TlsSettings tls = _options.Tls;
        CertificateSource? certificates = Certificates(tls.PeersCertificate, tls.PeersKey, tls.PeersAuthority);
        HostPort? advertised = _options.PeersAdvertised
            ?? _options.InitialNodes.FirstOrDefault(node => node.NodeId == _options.NodeId)?.Address;
        var options = new PeerOptions
        {
            Self = new NodeId(_options.NodeId),
            Listen = Addresses.ToBind(_options.PeersListen),
            AdvertisedHost = advertised?.Host,
            AdvertisedPort = advertised?.Port,
            QueueBytesMax = _options.Limits.PeerQueueBytes,
            Tls = certificates is null ? null : new PeerTls(certificates),
        };
        _peers = new PeerTransport(options, new PeerMetrics(_metrics), _loggers.CreateLogger("RaftMq.Peers"), _fatal);
        _limits.Add(() => [new LimitUse("peer_queue_bytes", _peers.MostQueuedBytes, options.QueueBytesMax)]);
        Bind("peers.listen", _options.PeersListen, _peers.Bind);
    }

    private void PrepareListeners()
    {
        LimitSettings given = _options.Limits;
        var limits = new ListenerLimits
        {
            ConnectionsMax = given.Connections,
            InFlightMax = given.RequestsInFlight,
            ResponseBytesMax = given.ResponseBytes,
            RequestFrameBytesMax = given.RequestFrameBytes,
            RequestBytesPerNode = given.RequestMemoryBytes,
            IdleMax = given.ConnectionIdle,
        };
        var memory = new RequestMemory(limits.RequestBytesPerNode);
        var metrics = new ListenerMetrics(_metrics, limits, memory);
        _limits.Add(() =>
        [
            new LimitUse("connections", metrics.Connections.Value, limits.ConnectionsMax),
            new LimitUse("request_memory_bytes", memory.UsedBytes, limits.RequestBytesPerNode),
            new LimitUse(
                "requests_in_flight_per_connection", _listeners.Select(listener => listener.MostUsed.Requests).DefaultIfEmpty().Max(), limits.InFlightMax),
            new LimitUse(
                "response_bytes_per_connection", _listeners.Select(listener => listener.MostUsed.ResponseBytes).DefaultIfEmpty().Max(),
                limits.ResponseBytesMax),
        ]);
        TlsSettings tls = _options.Tls;
        CertificateSource? certificates = Certificates(tls.KafkaCertificate, tls.KafkaKey, tls.KafkaClientAuthority);
        foreach (ListenerSetting setting in _options.Listeners)
        {
            var listener = new KafkaListener(
                new ListenerOptions(
                    setting.Name, Addresses.ToBind(setting.Bind), setting.Scheme == ListenerScheme.Kafkas ? certificates : null),
                limits, memory, metrics, _loggers.CreateLogger("RaftMq.Kafka"));
            _listeners.Add(listener);
            Bind($"listener {setting.Name}", setting.Bind, listener.Bind);
        }
    }

    private CertificateSource? Certificates(string certificate, string key, string authority)
    {
        if (certificate.Length == 0)
        {
            return null;
        }

        try
        {
            var files = new CertificateFiles(certificate, key, authority.Length == 0 ? null : authority);
            return new CertificateSource(files, TimeProvider.System, _loggers.CreateLogger("RaftMq.Security"));
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new CannotStartException($"The certificate {certificate} with the key {key} can't be used: {exception.Message}", exception);
        }
    }

    private static void Bind(string what, HostPort address, Action bind)
    {
        try
        {
            bind();
        }
        catch (SocketException exception)
        {
            throw CannotBind(what, address, exception);
        }
    }

    private static CannotStartException CannotBind(string what, HostPort address, SocketException exception) =>
        new($"{address} ({what}) {PortOwner.Explain(address.Port, exception)}.", exception);

    private void PrepareHttp()
    {
        _http = new HttpFace(_options.Limits.HttpConnections);
        _limits.Add(() => [new LimitUse("http_connections", _http.Connections.Value, _options.Limits.HttpConnections)]);
        Bind(HttpListenKey, _options.HttpListen, () => _http.Bind(Addresses.ToBind(_options.HttpListen)));
    }

    private async Task StartHttpAsync(HttpSources sources)
    {
        try
        {
            await _http.StartAsync(sources, _loggers);
        }
        catch (SocketException exception)
        {
            throw CannotBind(HttpListenKey, _options.HttpListen with { Port = _http.Addresses[0].Port }, exception);
        }
    }

    private void StartPeers(INode node)
    {
        Bind("peers.listen", _options.PeersListen with { Port = _peers.Addresses[0].Port }, () => _peers.Start(node, node.Boot));
        _peers.Find(_options.Seeds.Select(seed => new DnsEndPoint(seed.Host, seed.Port)), node.SeedFound);
        foreach (NodeAddress known in _options.InitialNodes)
        {
            if (known.NodeId != _options.NodeId)
            {
                _peers.Learn(new NodeId(known.NodeId), known.Address.Host, known.Address.Port, PeerAddressSource.Configured);
            }
        }
    }

    private async Task OpenWhenReadyAsync(INode node, IClock clock, CancellationToken stop)
    {
        try
        {
            while (!node.IsReady)
            {
                if (node.RefusedByCluster is { } reason)
                {
                    _ready.TrySetException(new CannotStartException(reason));
                    return;
                }

                LearnFromCluster(node.Broker.Cluster);
                await Task.Delay(ReadyCheckEvery, stop);
            }

            var face = new KafkaFace(
                node.Broker, clock, TimeProvider.System, new KafkaObserver(_metrics, _loggers.CreateLogger("RaftMq.Kafka")), new KafkaFaceOptions());
            foreach (KafkaListener listener in _listeners)
            {
                // The system lets two bind one address as long as neither listens.
                string host = _options.Listeners.First(setting => setting.Name == listener.Name).Bind.Host;
                Bind($"listener {listener.Name}", new HostPort(host, listener.Addresses[0].Port), () => listener.Start(face.Open));
            }

            _isOpen = true;
            LogReady(_options.NodeId, new LoggedList(KafkaAddresses), new LoggedList(HttpAddresses), new LoggedList(PeerAddresses));
            _ready.TrySetResult();
            while (true)
            {
                LearnFromCluster(node.Broker.Cluster);
                if (node.RefusedByCluster is { } reason)
                {
                    _removed.TrySetException(new CannotStartException(reason));
                    return;
                }

                await Task.Delay(LearnEvery, stop);
            }
        }
        catch (OperationCanceledException)
        {
            _ready.TrySetCanceled(CancellationToken.None);
        }
        catch (CannotStartException exception)
        {
            _ready.TrySetException(exception);
        }
#pragma warning disable CA1031 // The top of an owned loop: a node that can't open its doors is of no use.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _fatal("opening the listeners", exception);
        }
    }

    /// <summary>Nodes that joined, or moved, say in the cluster's own records where they are dialled.</summary>
    private void LearnFromCluster(ClusterImage cluster)
    {
        foreach ((NodeId id, NodeInfo info) in cluster.Nodes)
        {
            ListenerAddress? peers = info.Listeners.FirstOrDefault(listener => listener.Name == NodeContext.PeersListener);
            if (id.Value != _options.NodeId && peers is not null)
            {
                _peers.Learn(id, peers.Host, peers.Port, PeerAddressSource.Recorded);
            }
        }
    }
}
