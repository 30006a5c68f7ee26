using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

/// <summary>
/// Frames between nodes over plain sockets. Each node dials each other one for the frames it sends, so a pair has two connections and
/// no rule is needed about who dials. Its life: made; <see cref="Start"/>, from then on frames arrive; nodes are made known as
/// the cluster grows; disposed.
/// </summary>
internal sealed partial class PeerTransport : IPeerTransport, IAsyncDisposable
{
    private readonly PeerOptions _options;
    private readonly PeerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Action<string, Exception> _fatal;
    private readonly ConcurrentDictionary<NodeId, PeerLink> _links = new();
    private readonly Lock _lock = new();
    private readonly List<PeerInbound> _inbound = [];
    private readonly Dictionary<NodeId, PeerInbound> _inboundByNode = [];
    private readonly Dictionary<NodeId, long> _otherProcessLoggedAt = [];
    private readonly ulong _process = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly List<Socket> _listening = [];
    private readonly List<Task> _accepting = [];
    private readonly List<SeedSearch> _seeds = [];
    private IPeerReceiver? _receiver;
    private BootNumber _boot;
    private bool _stopping;

    public PeerTransport(PeerOptions options, PeerMetrics metrics, ILogger logger, Action<string, Exception> fatal)
    {
        _options = options;
        _metrics = metrics;
        _logger = logger;
        _fatal = fatal;
    }

    /// <summary>Where this node listens, once bound.</summary>
    public IReadOnlyList<IPEndPoint> Addresses { get; private set; } = [];

    internal IPeerReceiver Receiver => _receiver ?? throw new InvariantViolationException("The transport is not started.");

    /// <summary>Takes the ports. Nodes that dial are refused until <see cref="Start"/>.</summary>
    /// <exception cref="SocketException">An address can't be bound.</exception>
    public void Bind()
    {
        foreach (IPEndPoint address in _options.Listen)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            _listening.Add(socket);
            socket.Bind(address);
        }

        // Kept: a dial that is under way while the node stops asks for them after the sockets are closed.
        Addresses = [.. _listening.Select(socket => (IPEndPoint)socket.LocalEndPoint!)];
    }

    /// <param name="boot">Of this start: said to the others, so that people can tell two processes of one node apart.</param>
    public void Start(IPeerReceiver receiver, BootNumber boot)
    {
        _receiver = receiver;
        _boot = boot;
        foreach (Socket socket in _listening)
        {
            socket.Listen(128);
            _accepting.Add(Task.Run(() => AcceptAsync(socket)));
        }
    }

    /// <summary>Makes a node, or one more address of it, known. Dialling begins at once.</summary>
    public void Learn(NodeId node, string host, int port, PeerAddressSource source)
    {
        Invariant.Holds(node != _options.Self);
        var address = new PeerAddress(new DnsEndPoint(host, port), source);
        lock (_lock)
        {
            if (_stopping)
            {
                return;
            }

            if (_links.TryGetValue(node, out PeerLink? link))
            {
                link.Learn(address);
                return;
            }

            _links[node] = new PeerLink(node, address, _options, OwnPreamble, Receiver, _metrics, _logger, _fatal);
        }
    }

    /// <summary>Finds out who is at these addresses, and makes them known.</summary>
    /// <param name="found">Called for each, from any thread.</param>
    public void Find(IEnumerable<DnsEndPoint> addresses, Action<NodeId> found)
    {
        foreach (DnsEndPoint address in addresses)
        {
            _seeds.Add(new SeedSearch(
                address, _options, OwnPreamble(PeerPreamble.Anyone),
                node =>
                {
                    Learn(node, address.Host, address.Port, PeerAddressSource.Seed);
                    found(node);
                },
                _logger, _fatal));
        }
    }

    void IPeerTransport.Learn(NodeId node, string host, int port)
    {
        if (node != _options.Self)
        {
            Learn(node, host, port, PeerAddressSource.Recorded);
        }
    }

    public PeerFrame Rent(int bytes) => PeerFramePool.Rent(bytes);

    public void Return(PeerFrame frame) => PeerFramePool.Return(frame);

    public void Send(NodeId to, PeerLane lane, PeerFrame frame)
    {
        Invariant.Holds(frame.Length > 0);
        Invariant.Holds(frame.Length <= PeerFrame.BytesMax);
        if (_links.TryGetValue(to, out PeerLink? link))
        {
            link.Send(lane, frame);
            return;
        }

        _metrics.Dropped(PeerDrop.Disconnected);
        PeerFramePool.Return(frame);
    }

    /// <summary>Not null while another node refuses this process because another one is connected as this node; a sentence for people.</summary>
    public string? RefusedByPeer => _links.Values.Select(link => link.RefusedBecause).FirstOrDefault(reason => reason is not null);

    public long QueuedBytes(NodeId to) => _links.TryGetValue(to, out PeerLink? link) ? link.QueuedBytes : 0;

    /// <summary>What waits for the node for which most does.</summary>
    public long MostQueuedBytes => _links.Values.Select(link => link.QueuedBytes).DefaultIfEmpty().Max();

    public bool IsConnected(NodeId to) => _links.TryGetValue(to, out PeerLink? link) && link.IsConnected;

    public async ValueTask DisposeAsync()
    {
        PeerInbound[] inbound;
        lock (_lock)
        {
            _stopping = true;
            inbound = [.. _inbound];
        }

        foreach (Socket socket in _listening)
        {
            socket.Dispose();
        }

        await Task.WhenAll(_accepting);
        await Task.WhenAll(_seeds.Select(seed => seed.DisposeAsync().AsTask()));
        await Task.WhenAll(_links.Values.Select(link => link.DisposeAsync().AsTask()));
        foreach (PeerInbound connection in inbound)
        {
            connection.Close();
            connection.Join();
        }
    }

    internal void Fatal(string where, Exception exception) => _fatal(where, exception);

    internal PeerPreamble OwnPreamble(NodeId to)
    {
        IPEndPoint? listening = Addresses.Count > 0 ? Addresses[0] : null;
        return new PeerPreamble(
            _options.Self, to, _options.AdvertisedHost ?? listening?.Address.ToString() ?? "",
            _options.AdvertisedPort ?? listening?.Port ?? 0, _boot, _process);
    }

    /// <summary>
    /// A node has one connection to us. A new one of the same process means that the old one is dead, whatever the kernel still believes; so
    /// does one of another process, the node's next life, unless the old one was heard a moment ago. Then two processes run as one node, and
    /// the one that was there first stays: each taking the other's place in turn would keep both from working.
    /// </summary>
    /// <returns>The connection that stays instead of this one, or null.</returns>
    internal PeerInbound? TryTakePlace(PeerInbound connection, PeerPreamble preamble)
    {
        PeerInbound? older;
        bool tellNow = false;
        lock (_lock)
        {
            if (_inboundByNode.TryGetValue(preamble.From, out older)
                && older.Process != preamble.Process && older.SilentFor < _options.AliveWithin)
            {
                tellNow = !_otherProcessLoggedAt.TryGetValue(preamble.From, out long at)
                    || Stopwatch.GetElapsedTime(at) >= _options.RepeatLogEvery;
                if (tellNow)
                {
                    _otherProcessLoggedAt[preamble.From] = Stopwatch.GetTimestamp();
                }
            }
            else
            {
                _inboundByNode[preamble.From] = connection;
                connection.Process = preamble.Process;
                connection.Boot = preamble.Boot;
                older?.Close();
                return null;
            }
        }

        if (tellNow)
        {
            LogOtherProcess(preamble.From.Value, connection.Remote, preamble.Boot.Value, older.Remote, older.Boot.Value, _options.RepeatLogEvery);
        }

        return older;
    }

    /// <summary>What a process is told that is refused for the one on this connection.</summary>
    internal PeerPreamble RefusalFor(PeerInbound staying, NodeId to) => new PeerPreamble(
        _options.Self, to, staying.RemoteAddress.Address.ToString(), staying.RemoteAddress.Port, staying.Boot, _process,
        PeerVerdict.OtherProcess);

    /// <summary>There is a sign of life from the node: it joins, or was moved, and is dialled where it says.</summary>
    internal void Identified(PeerPreamble preamble)
    {
        bool isKnown = _links.TryGetValue(preamble.From, out PeerLink? link);
        if (preamble.Host.Length > 0 && preamble.Port > 0 && (isKnown || _links.Count < _options.ConnectionsMax))
        {
            Learn(preamble.From, preamble.Host, preamble.Port, PeerAddressSource.Said);
        }

        link?.IsProcess(preamble.Process);
        link?.Hurry();
    }

    /// <summary>
    /// On the connection's own thread, behind the node's last frame: this is the first that hears of a killed process, and before clients of
    /// that process, of which the sockets are closed later, ask who leads now.
    /// </summary>
    internal void Ended(PeerInbound connection, NodeId? node)
    {
        bool wasTheNodes = false;
        lock (_lock)
        {
            _inbound.Remove(connection);
            if (node is { } known && _inboundByNode.TryGetValue(known, out PeerInbound? current) && current == connection)
            {
                _inboundByNode.Remove(known);
                wasTheNodes = !_stopping;
            }
        }

        if (wasTheNodes)
        {
            Receiver.ConnectionReset(node!.Value, refused: false);
        }
    }

    private async Task AcceptAsync(Socket listening)
    {
        while (true)
        {
            try
            {
                Socket socket = await listening.AcceptAsync();
                Accepted(socket);
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
            {
                lock (_lock)
                {
                    if (_stopping)
                    {
                        return;
                    }
                }

                // Out of file handles, or the other side was gone again: not a reason to stop listening.
                LogAcceptFailed(exception.Message);
                await Task.Delay(10);
            }
        }
    }

    private void Accepted(Socket socket)
    {
        lock (_lock)
        {
            if (_stopping || _inbound.Count >= _options.ConnectionsMax)
            {
                socket.Dispose();
                _metrics.BadFrames.Increment();
                return;
            }

            var connection = new PeerInbound(socket, _options, this, _metrics, _logger);
            _inbound.Add(connection);
            connection.Start();
        }
    }

    [LoggerMessage(1222, LogLevel.Warning,
        "Two processes run as node {Node}: the one at {Refused} (boot number {RefusedBoot}) is refused, the one at {Staying} (boot number "
        + "{StayingBoot}) was here first and stays; stop one of them, and never run a copy of a data folder. Said again at most every {Interval}")]
    private partial void LogOtherProcess(int node, string refused, long refusedBoot, string staying, long stayingBoot, TimeSpan interval);

    [LoggerMessage(1221, LogLevel.Warning, "Accepting a connection from another node failed: {Reason}")]
    private partial void LogAcceptFailed(string reason);
}
