using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
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
    private readonly List<Socket> _listening = [];
    private readonly List<Task> _accepting = [];
    private IPeerReceiver? _receiver;
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

    public void Start(IPeerReceiver receiver)
    {
        _receiver = receiver;
        foreach (Socket socket in _listening)
        {
            socket.Listen(128);
            _accepting.Add(Task.Run(() => AcceptAsync(socket)));
        }
    }

    /// <summary>Makes a node, or its new address, known. Dialling begins at once.</summary>
    public void Learn(NodeId node, string host, int port)
    {
        Invariant.Holds(node != _options.Self);
        var address = new DnsEndPoint(host, port);
        lock (_lock)
        {
            if (_stopping)
            {
                return;
            }

            if (_links.TryGetValue(node, out PeerLink? link))
            {
                link.Address = address;
                return;
            }

            _links[node] = new PeerLink(node, address, _options, OwnPreamble, Receiver, _metrics, _logger);
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

    public long QueuedBytes(NodeId to) => _links.TryGetValue(to, out PeerLink? link) ? link.QueuedBytes : 0;

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
        await Task.WhenAll(_links.Values.Select(link => link.DisposeAsync().AsTask()));
        foreach (PeerInbound connection in inbound)
        {
            connection.Close();
            connection.Join();
        }
    }

    internal void Fatal(string where, Exception exception) => _fatal(where, exception);

    internal byte[] OwnPreamble(NodeId to)
    {
        IPEndPoint? listening = Addresses.Count > 0 ? Addresses[0] : null;
        return new PeerPreamble(
            _options.Self, to, _options.AdvertisedHost ?? listening?.Address.ToString() ?? "",
            _options.AdvertisedPort ?? listening?.Port ?? 0).ToBytes();
    }

    /// <summary>
    /// A node has one connection to us: a new one means that the old one is dead, whatever the kernel still believes. A node that nobody
    /// told us of (it joins) is dialled where it says; what was configured or learnt from the cluster is not overruled by it.
    /// </summary>
    internal void Identified(PeerInbound connection, PeerPreamble preamble)
    {
        PeerInbound? older;
        lock (_lock)
        {
            _inboundByNode.TryGetValue(preamble.From, out older);
            _inboundByNode[preamble.From] = connection;
        }

        older?.Close();
        if (_links.TryGetValue(preamble.From, out PeerLink? link))
        {
            link.Hurry();
        }
        else if (preamble.Host.Length > 0 && preamble.Port > 0 && _links.Count < _options.ConnectionsMax)
        {
            Learn(preamble.From, preamble.Host, preamble.Port);
        }
    }

    internal void Ended(PeerInbound connection, NodeId? node)
    {
        lock (_lock)
        {
            _inbound.Remove(connection);
            if (node is { } known && _inboundByNode.TryGetValue(known, out PeerInbound? current) && current == connection)
            {
                _inboundByNode.Remove(known);
            }
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

    [LoggerMessage(1221, LogLevel.Warning, "Accepting a connection from another node failed: {Reason}")]
    private partial void LogAcceptFailed(string reason);
}
