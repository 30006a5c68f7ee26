using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RaftMq.Kafka.Connections;
using RaftMq.Server.Sockets;

namespace RaftMq.Server.Listeners;

/// <summary>
/// One named listener for Kafka clients, over plain sockets (docs/decisions/0003). Its life: bound; started; no longer accepting
/// while clients move to other nodes; disposed, which closes what is left.
/// </summary>
internal sealed partial class KafkaListener : IAsyncDisposable
{
    private static readonly TimeSpan IdleCheckEvery = TimeSpan.FromSeconds(5);

    private readonly ListenerOptions _options;
    private readonly ListenerLimits _limits;
    private readonly RequestMemory _memory;
    private readonly ListenerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly WrongProtocolLog _wrongProtocols;
    private readonly List<Socket> _listening = [];
    private readonly ConcurrentDictionary<KafkaConnection, byte> _connections = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];

    public KafkaListener(
        ListenerOptions options, ListenerLimits limits, RequestMemory memory, ListenerMetrics metrics, ILogger logger)
    {
        _options = options;
        _limits = limits;
        _memory = memory;
        _metrics = metrics;
        _logger = logger;
        _wrongProtocols = new WrongProtocolLog(
            logger, TimeProvider.System, $"Listener {options.Name} is for Kafka {(options.Certificates is null ? "without" : "with")} TLS");
    }

    public string Name => _options.Name;

    /// <summary>Where it listens, once bound; the port is the real one where 0 was asked for.</summary>
    public IReadOnlyList<IPEndPoint> Addresses { get; private set; } = [];

    /// <summary>Of the connection that has most of each: requests not answered, answers not taken.</summary>
    public (int Requests, long ResponseBytes) MostUsed
    {
        get
        {
            (int Requests, long ResponseBytes) most = default;
            foreach (KafkaConnection connection in _connections.Keys)
            {
                (int requests, long responseBytes) = connection.Use;
                most = (Math.Max(most.Requests, requests), Math.Max(most.ResponseBytes, responseBytes));
            }

            return most;
        }
    }

    /// <summary>Takes the ports. Clients are refused until <see cref="Start"/>, so that they try another node instead of waiting here.</summary>
    /// <exception cref="SocketException">An address can't be bound.</exception>
    public void Bind()
    {
        BoundSockets.Bind(_options.Bind, _listening);
        Addresses = [.. _listening.Select(socket => (IPEndPoint)socket.LocalEndPoint!)];
    }

    /// <param name="openSession">The protocol of one connection.</param>
    public void Start(Func<KafkaConnectionInfo, IKafkaSession> openSession)
    {
        foreach (Socket socket in _listening)
        {
            socket.Listen(1024);
            _loops.Add(Task.Run(() => AcceptAsync(socket, openSession)));
        }

        _loops.Add(Task.Run(() => CheckIdleAsync(_stop.Token)));
    }

    /// <summary>Clients that are connected stay; new ones are refused.</summary>
    public void StopAccepting()
    {
        foreach (Socket socket in _listening)
        {
            socket.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        StopAccepting();
        await Task.WhenAll(_loops);
        KafkaConnection[] left = [.. _connections.Keys];
        foreach (KafkaConnection connection in left)
        {
            connection.Close(CloseCause.Stopping, "the node stops");
        }

        await Task.WhenAll(left.Select(connection => connection.Completion));
        _stop.Dispose();
    }

    private async Task AcceptAsync(Socket listening, Func<KafkaConnectionInfo, IKafkaSession> openSession)
    {
        while (true)
        {
            try
            {
                Accepted(await listening.AcceptAsync(), openSession);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.OperationAborted)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Out of file handles, or the client was gone again: not a reason to stop listening.
                LogAcceptFailed(Name, exception.Message);
                await Task.Delay(10);
            }
        }
    }

    private void Accepted(Socket socket, Func<KafkaConnectionInfo, IKafkaSession> openSession)
    {
        _metrics.Accepted.Increment();
        if (_metrics.Connections.Add(1) > _limits.ConnectionsMax)
        {
            _metrics.Connections.Add(-1);
            _metrics.Closed(CloseCause.TooManyConnections);
            socket.Dispose();
            return;
        }

        string remote = "?";
        try
        {
            remote = socket.RemoteEndPoint?.ToString() ?? "?";
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        }
        catch (SocketException)
        {
            // Gone already; the first receive says so.
        }

        var connection = new KafkaConnection(
            socket, new KafkaConnectionInfo(Name, remote), openSession, _options.Certificates, _limits, _memory, _metrics, _wrongProtocols, _logger);
        _connections.TryAdd(connection, 0);
        connection.Start(Ended);
    }

    private void Ended(KafkaConnection connection)
    {
        _metrics.Connections.Add(-1);
        _connections.TryRemove(connection, out _);
        connection.Dispose();
    }

    private async Task CheckIdleAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(IdleCheckEvery < _limits.IdleMax ? IdleCheckEvery : _limits.IdleMax);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                foreach (KafkaConnection connection in _connections.Keys)
                {
                    connection.CloseIfIdle();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    [LoggerMessage(1111, LogLevel.Warning, "Listener {Listener} could not accept a connection: {Reason}")]
    private partial void LogAcceptFailed(string listener, string reason);
}
