using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

/// <summary>
/// This node's way to one other node: dials, keeps the connection, dials again. Its life:
/// 1. dial, one known address after the other; when all failed, wait (10 ms doubling to 1 s; to 30 s where another process is connected
///    as this node) and dial again;
/// 2. connected: frames are taken until the connection breaks;
/// 3. broken: tell the receiver, dial at once, and tell it when that was refused. A process that was killed closes its sockets one after
///    another, so an answer that breaks off before the preamble came back is asked again at once, for a short while. A node that takes
///    connections and breaks them again is dialled as one that can't be reached, and the log says so once in a while.
/// </summary>
internal sealed partial class PeerLink : IAsyncDisposable
{
    /// <summary>Asking again in step 3, one millisecond apart: longer than the kernel takes to end a process on a busy machine.</summary>
    private static readonly TimeSpan UnclearMax = TimeSpan.FromMilliseconds(200);

    /// <summary>A node that moves on and on while it is not reached.</summary>
    private const int LoggedAddressesMax = 16;

    private readonly NodeId _node;
    private readonly PeerAddresses _addresses;
    private readonly PeerOptions _options;
    private readonly Func<NodeId, PeerPreamble> _own;
    private readonly IPeerReceiver _receiver;
    private readonly PeerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _hurry = new(0, 1);
    private readonly SemaphoreSlim _news = new(0, 1);
    private readonly Action<string, Exception> _fatal;
    private readonly Task _loop;

    /// <summary>What was logged of each address since the node was last reached.</summary>
    private readonly Dictionary<PeerAddress, string> _lastFaults = [];
    private volatile PeerConnection? _connection;

    /// <summary>Which process of the node <see cref="_connection"/> leads to.</summary>
    private ulong _process;
    private volatile string? _refusedBecause;
    private long _refusedLoggedAt;
    private int _shortInARow;
    private long _shortLoggedAt;

    /// <param name="own">This node's preamble to a node.</param>
    /// <param name="fatal">Ends the node: a link that stopped dialling would cut it off unseen.</param>
    public PeerLink(
        NodeId node, PeerAddress address, PeerOptions options, Func<NodeId, PeerPreamble> own, IPeerReceiver receiver, PeerMetrics metrics,
        ILogger logger, Action<string, Exception> fatal)
    {
        _node = node;
        _fatal = fatal;
        _own = own;
        _addresses = new PeerAddresses(address);
        _options = options;
        _receiver = receiver;
        _metrics = metrics;
        _logger = logger;
        _loop = Task.Run(() => RunAsync(_stop.Token));
    }

    private enum DialOutcome
    {
        Connected,
        Refused,

        /// <summary>Broken off before the preamble came back.</summary>
        Unclear,
        Failed,

        /// <summary>Another process is connected there as this node.</summary>
        OtherProcess,
    }

    public long QueuedBytes => _connection?.QueuedBytes ?? 0;

    public bool IsConnected => _connection is not null;

    /// <summary>Not null while the node refuses this process because another one is connected there as this node.</summary>
    public string? RefusedBecause => _refusedBecause;

    /// <summary>Where the node may be, from now on; a connection that works stays.</summary>
    public void Learn(PeerAddress address)
    {
        if (_addresses.Learn(address))
        {
            Release(_news);
            Hurry();
        }
    }

    /// <summary>The node's process dialled in: a connection that leads to any other one is to whoever is at an address of before.</summary>
    public void IsProcess(ulong process)
    {
        if (_connection is { } connection && Volatile.Read(ref _process) != process)
        {
            connection.Dispose();
        }
    }

    public void Send(PeerLane lane, PeerFrame frame)
    {
        if (_connection is { } connection)
        {
            connection.Send(lane, frame);
            return;
        }

        _metrics.Dropped(PeerDrop.Disconnected);
        PeerFramePool.Return(frame);
    }

    /// <summary>There is a sign of life from the node: dial now instead of waiting out the back-off.</summary>
    public void Hurry()
    {
        if (_connection is null)
        {
            Release(_hurry);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _connection?.Dispose();
        await _loop;
        _stop.Dispose();
        _hurry.Dispose();
        _news.Dispose();
    }

    private static void Release(SemaphoreSlim semaphore)
    {
        try
        {
            if (semaphore.CurrentCount == 0)
            {
                semaphore.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Somebody else did at the same moment.
        }
    }

    private async Task RunAsync(CancellationToken stop)
    {
        (PeerAddress Address, long At)? lost = null;

        // At one of the addresses, since all of them were tried.
        bool refused = false;
        TimeSpan delay = _options.ReconnectMin;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                PeerAddress address = _addresses.Current;
                (DialOutcome outcome, PeerConnection? connection) = await DialAsync(address, stop);
                if (lost is { } last && last.Address.Where.Equals(address.Where))
                {
                    if (outcome == DialOutcome.Unclear && Stopwatch.GetElapsedTime(last.At) < UnclearMax)
                    {
                        await Task.Delay(1, stop);
                        continue;
                    }

                    // Only where it was: at an address that was learnt since, a refusal says nothing of the process that was lost.
                    lost = null;
                    if (outcome == DialOutcome.Refused)
                    {
                        _receiver.ConnectionReset(_node, refused: true);
                    }
                }

                if (connection is not null)
                {
                    if (await ServeAsync(connection, address, stop))
                    {
                        delay = _options.ReconnectMin;
                    }
                    else if (_shortInARow > 1)
                    {
                        await Task.Delay(Jittered(delay), stop);
                        delay = Longer(delay, _options.ReconnectMax);
                    }

                    _receiver.ConnectionReset(_node, refused: false);
                    lost = (address, Stopwatch.GetTimestamp());
                    continue;
                }

                refused |= outcome == DialOutcome.OtherProcess;
                _shortInARow = outcome == DialOutcome.Refused ? 0 : _shortInARow;
                if (_addresses.TryNext(address))
                {
                    continue;
                }

                if (refused)
                {
                    // No hurry: what dials in here does not change who is connected there. But it may be somewhere else.
                    refused = false;
                    await _news.WaitAsync(Jittered(delay), stop);
                    delay = Longer(delay, _options.RefusedRetryMax);
                    continue;
                }

                _refusedBecause = null;
                await _hurry.WaitAsync(Jittered(delay < _options.ReconnectMax ? delay : _options.ReconnectMax), stop);
                delay = Longer(delay, _options.ReconnectMax);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
#pragma warning disable CA1031 // The top of an owned loop.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _fatal($"the connection to {_node}", exception);
        }
    }

    private static TimeSpan Jittered(TimeSpan delay) => delay * (0.5 + Random.Shared.NextDouble());

    private static TimeSpan Longer(TimeSpan delay, TimeSpan max) => delay * 2 < max ? delay * 2 : max;

    /// <summary>True when the connection lasted.</summary>
    private async Task<bool> ServeAsync(PeerConnection connection, PeerAddress address, CancellationToken stop)
    {
        _addresses.Answered(address);
        long connectedAt = Stopwatch.GetTimestamp();
        bool quiet = _shortInARow > 1;
        if (!quiet)
        {
            LogConnected(_node, address);
        }

        _lastFaults.Clear();
        _refusedBecause = null;
        _connection = connection;
        _metrics.Connections.Add(1);
        using (stop.Register(connection.Dispose))
        {
            await connection.WaitUntilBrokenAsync();
        }

        _connection = null;
        _metrics.Connections.Add(-1);
        _metrics.Resets.Increment();
        stop.ThrowIfCancellationRequested();
        bool steady = Stopwatch.GetElapsedTime(connectedAt) >= _options.SteadyAfter;
        _shortInARow = steady ? 0 : _shortInARow + 1;
        if (!quiet || steady)
        {
            LogLost(_node);
        }
        else if (IsDue(ref _shortLoggedAt))
        {
            LogShort(_node, address, _shortInARow, _options.RepeatLogEvery);
        }

        return steady;
    }

    private bool IsDue(ref long loggedAt)
    {
        if (loggedAt != 0 && Stopwatch.GetElapsedTime(loggedAt) < _options.RepeatLogEvery)
        {
            return false;
        }

        loggedAt = Stopwatch.GetTimestamp();
        return true;
    }

    private async Task<(DialOutcome Outcome, PeerConnection? Connection)> DialAsync(PeerAddress address, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Stream? tls = null;
        bool isOpen = false;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_options.HandshakeTimeout);
        try
        {
            PeerSockets.Configure(socket);
            await socket.ConnectAsync(address.Where, limit.Token);
            isOpen = true;
            if (_options.Tls is not null)
            {
                var encrypted = new SslStream(new NetworkStream(socket, ownsSocket: false));
                tls = encrypted;
                await encrypted.AuthenticateAsClientAsync(_options.Tls.ForClient(address.Where.Host), limit.Token);
            }

            (PeerPreamble? answer, string? fault) =
                await ExchangePreamblesAsync(tls ?? new NetworkStream(socket, ownsSocket: false), limit.Token);
            if (answer is { Verdict: PeerVerdict.OtherProcess })
            {
                RefusedFor(answer, address);
                return (DialOutcome.OtherProcess, null);
            }

            if (answer is not null)
            {
                Volatile.Write(ref _process, answer.Process);
                var connection = new PeerConnection(socket, tls, _options.QueueBytesMax, _metrics);
                socket = null;
                tls = null;
                return (DialOutcome.Connected, connection);
            }

            Report(address, fault!);
            return (DialOutcome.Failed, null);
        }
        catch (ArgumentException exception)
        {
            Report(address, $"not an address to dial ({exception.Message})");
            return (DialOutcome.Failed, null);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            Report(address, "connection refused");
            return (DialOutcome.Refused, null);
        }
        catch (Exception exception) when (exception is SocketException or IOException or AuthenticationException)
        {
            // Of a process that ends its side while this one writes, the system says now this and now that: one sentence for all.
            Report(address, isOpen && exception is not AuthenticationException ? BrokenOff() : exception.Message);
            return (exception is AuthenticationException ? DialOutcome.Failed : DialOutcome.Unclear, null);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            Report(address, "no answer in time");
            return (DialOutcome.Failed, null);
        }
        finally
        {
            if (tls is not null)
            {
                await tls.DisposeAsync();
            }

            socket?.Dispose();
        }
    }

    private string BrokenOff() => _options.Tls is null
        ? "it ended the connection before it said who it is"
        : "it ended the connection before it said who it is, as a node does that does not take this one's certificate";

    /// <summary>What the node there says, or what is wrong.</summary>
    private async Task<(PeerPreamble? Answer, string? Fault)> ExchangePreamblesAsync(Stream stream, CancellationToken stop)
    {
        await stream.WriteAsync(_own(_node).ToBytes(), stop);
        byte[] bytes = new byte[PeerPreamble.Bytes];
        await stream.ReadExactlyAsync(bytes, stop);
        PeerPreamble? answer = PeerPreamble.Read(bytes, out string? fault);
        if (answer is null)
        {
            return (null, fault);
        }

        if (answer.From != _node || answer.To != _options.Self)
        {
            return (null, $"the node there is {answer.From}, not {_node}: check the addresses of the nodes");
        }

        return (answer, null);
    }

    private void RefusedFor(PeerPreamble other, PeerAddress address)
    {
        _refusedBecause =
            $"Another process runs as node {_options.Self.Value}: node {_node.Value} at {address.Where.Host}:{address.Where.Port} is connected with it (it "
            + $"dials from {other.Host}:{other.Port}, boot number {other.Boot.Value}; this process has boot number {_own(_node).Boot.Value}). Stop one of the two: a node id "
            + "and a data folder belong to one process, and a copied data folder must never run.";
        if (IsDue(ref _refusedLoggedAt))
        {
            LogRefused(_refusedBecause, _options.RefusedRetryMax, _options.RepeatLogEvery);
        }
    }

    /// <summary>Each fault of an address once: a node that is down would fill the log.</summary>
    private void Report(PeerAddress address, string fault)
    {
        if (_lastFaults.GetValueOrDefault(address) != fault)
        {
            if (_lastFaults.Count >= LoggedAddressesMax)
            {
                _lastFaults.Clear();
            }

            _lastFaults[address] = fault;
            LogNotConnected(_node, address, fault);
        }
    }
}
