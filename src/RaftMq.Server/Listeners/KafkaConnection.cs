using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using RaftMq.Kafka.Connections;
using RaftMq.Server.Security;
using RaftMq.Server.Sockets;

namespace RaftMq.Server.Listeners;

/// <summary>
/// One Kafka client. Its life: TLS handshake where configured; then, unless it begins like another protocol, frame after frame: i32 size,
/// bytes, handed to the session, the next one read when the session is done with the bytes and the limits leave room; closed by any side
/// for any reason, once. Nothing a client sends can do more than close its own connection.
/// </summary>
internal sealed partial class KafkaConnection : IDisposable
{
    private const int SizeBytes = 4;

    /// <summary>API key, version and correlation id: less is not a request.</summary>
    private const int FrameBytesMin = 8;

    private readonly Socket _socket;
    private readonly KafkaConnectionInfo _info;
    private readonly Func<KafkaConnectionInfo, IKafkaSession> _openSession;
    private readonly CertificateSource? _certificates;
    private readonly ListenerLimits _limits;
    private readonly RequestMemory _memory;
    private readonly ListenerMetrics _metrics;
    private readonly WrongProtocolLog _wrongProtocols;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _gone = new();
    private ResponseQueue? _responses;
    private int _closeCause = -1;
    private long _lastReceived = Stopwatch.GetTimestamp();
    private volatile bool _handling;

    public KafkaConnection(
        Socket socket, KafkaConnectionInfo info, Func<KafkaConnectionInfo, IKafkaSession> openSession, CertificateSource? certificates,
        ListenerLimits limits, RequestMemory memory, ListenerMetrics metrics, WrongProtocolLog wrongProtocols, ILogger logger)
    {
        _socket = socket;
        _info = info;
        _openSession = openSession;
        _certificates = certificates;
        _limits = limits;
        _memory = memory;
        _metrics = metrics;
        _wrongProtocols = wrongProtocols;
        _logger = logger;
    }

    /// <summary>Done when the connection is gone. Never fails.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Requests not answered and answers not taken, each against its limit.</summary>
    public (int Requests, long ResponseBytes) Use => _responses?.Use ?? default;

    /// <param name="ended">Called once, when the connection is gone.</param>
    public void Start(Action<KafkaConnection> ended) => Completion = Task.Run(async () =>
    {
        await RunAsync();
        ended(this);
    });

    private async Task RunAsync()
    {
        Stream? tls = null;
        try
        {
            _socket.NoDelay = true;
            tls = await HandshakeAsync();
            _socket.Blocking = tls is not null;
            _responses = new ResponseQueue(_socket, tls, _limits, _metrics, Close);
            await ServeAsync(tls, _responses);
            Close(CloseCause.ByClient, "closed by the client");
        }
        catch (Exception exception) when (exception is SocketException or IOException or ObjectDisposedException)
        {
            Close(CloseCause.ByClient, exception.Message);
        }
        catch (Exception exception) when (exception is AuthenticationException or OperationCanceledException)
        {
            Close(CloseCause.Handshake, $"TLS handshake failed: {exception.Message}");
        }
#pragma warning disable CA1031 // The top of an owned loop: one connection's failure is that connection's end.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFailed(_info.RemoteAddress, exception);
            Close(CloseCause.BySession, "internal error");
        }
        finally
        {
            if (_responses is not null)
            {
                await _responses.CloseAsync();
            }

            if (tls is not null)
            {
                await tls.DisposeAsync();
            }

            _socket.Dispose();
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _gone.Dispose();
    }

    /// <summary>From any thread; the first cause counts.</summary>
    public void Close(CloseCause cause, string reason)
    {
        if (Interlocked.CompareExchange(ref _closeCause, (int)cause, -1) != -1)
        {
            return;
        }

        _metrics.Closed(cause);
        LogClosed(_info.RemoteAddress, _info.Listener, reason);
        try
        {
            _gone.Cancel();

            // Ends receives and sends of other threads; the owner disposes.
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Already gone.
        }
    }

    /// <summary>Called every few seconds by the listener: nothing moved for too long, or the client is gone while it waits for an answer.</summary>
    public void CloseIfIdle()
    {
        if (_responses?.StalledSince is { } stalled && Stopwatch.GetElapsedTime(stalled) > _limits.IdleMax)
        {
            Close(CloseCause.Idle, $"the client took no answer for {_limits.IdleMax}");
        }
        else if (_handling && IsHungUp())
        {
            Close(CloseCause.ByClient, "the client hung up while its request was handled");
        }
        else if (!_handling && Stopwatch.GetElapsedTime(Volatile.Read(ref _lastReceived)) > _limits.IdleMax
            && (_responses is null || _responses.InFlight == 0))
        {
            Close(CloseCause.Idle, $"idle for {_limits.IdleMax}");
        }
    }

    private async Task<Stream?> HandshakeAsync()
    {
        if (_certificates is null)
        {
            return null;
        }

        var tls = new SslStream(new NetworkStream(_socket, ownsSocket: false));
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_gone.Token);
            limit.CancelAfter(_limits.HandshakeMax);
            await RefuseWithoutTlsAsync(limit.Token);
            CertificateSource.Loaded loaded = _certificates.Current;
            var options = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = loaded.Context,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ClientCertificateRequired = loaded.Authorities is not null,
                RemoteCertificateValidationCallback = (_, shown, _, _) => loaded.Authorities is null || loaded.Accepts(shown),
            };
            await tls.AuthenticateAsServerAsync(options, limit.Token);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>Who does not begin like TLS is closed without an alert, which his protocol would not know.</summary>
    private async Task RefuseWithoutTlsAsync(CancellationToken cancellation)
    {
        byte[] first = new byte[FirstBytes.Count];
        int seen = await _socket.ReceiveAsync(first, SocketFlags.Peek, cancellation);
        SpokenProtocol spoken = FirstBytes.Of(first.AsSpan(0, seen));
        if (seen > 0 && spoken != SpokenProtocol.Tls)
        {
            CloseAsWrong(spoken);
            throw new AuthenticationException("it does not begin like TLS");
        }
    }

    private void CloseAsWrong(SpokenProtocol spoken)
    {
        _wrongProtocols.Closed(_info.RemoteAddress, spoken);
        Close(CloseCause.WrongProtocol, $"it began like {spoken}");
    }

    private async Task ServeAsync(Stream? tls, ResponseQueue responses)
    {
        IKafkaSession session = _openSession(_info);
        using var buffer = new RequestBuffer(_memory, _limits.RequestMemoryWait);
        bool isFirst = true;
        while (_closeCause == -1)
        {
            if (!await FillAsync(buffer, tls, SizeBytes, wholeBytes: SizeBytes))
            {
                return;
            }

            // Before the size, which a high limit would make one of a request that never ends.
            if (isFirst && FirstBytes.Of(buffer.Bytes) is var spoken and (SpokenProtocol.Http or SpokenProtocol.Tls))
            {
                CloseAsWrong(spoken);
                return;
            }

            isFirst = false;
            int size = BinaryPrimitives.ReadInt32BigEndian(buffer.Bytes);
            if (size < FrameBytesMin || size > _limits.RequestFrameBytesMax)
            {
                Close(
                    size < FrameBytesMin ? CloseCause.BadFrame : CloseCause.FrameTooLarge,
                    $"request of {size} bytes; the limit is {_limits.RequestFrameBytesMax}");
                return;
            }

            if (!await FillAsync(buffer, tls, SizeBytes + size, wholeBytes: SizeBytes + size))
            {
                return;
            }

            await HandleAsync(session, buffer.Frame(SizeBytes, size), responses);
            buffer.Consume(SizeBytes + size);
            await responses.WaitForRoomAsync();
        }
    }

    private async ValueTask HandleAsync(IKafkaSession session, ReadOnlyMemory<byte> frame, ResponseQueue responses)
    {
        _metrics.Requests.Increment();
        _metrics.ReceivedBytes.Add(SizeBytes + frame.Length);
        int apiKey = BinaryPrimitives.ReadInt16BigEndian(frame.Span);
        PendingResponse pending = responses.Open(apiKey, Stopwatch.GetTimestamp());
        _handling = true;
        try
        {
            await session.HandleAsync(frame, pending, _gone.Token);
        }
        catch (OperationCanceledException) when (_gone.IsCancellationRequested)
        {
            // The connection is gone; the loop ends by itself.
        }
        finally
        {
            Volatile.Write(ref _lastReceived, Stopwatch.GetTimestamp());
            _handling = false;
        }
    }

    /// <summary>Receives until so many bytes are there. False: the client closed, or there is no memory (then closed here).</summary>
    private async ValueTask<bool> FillAsync(RequestBuffer buffer, Stream? tls, int bytes, int wholeBytes)
    {
        while (buffer.Count < bytes)
        {
            if (buffer.Count == 0 && tls is null && !buffer.IsIdleSized && _socket.Available == 0)
            {
                // Silent for now: the wait does not keep a large buffer.
                buffer.Shrink();
            }

            if (!await buffer.MakeRoomAsync(wholeBytes, _gone.Token))
            {
                Close(CloseCause.NoMemory, "no memory for requests came free in time");
                return false;
            }

            int received = tls is null
                ? await _socket.ReceiveAsync(buffer.Free, SocketFlags.None)
                : await tls.ReadAsync(buffer.Free);
            if (received == 0)
            {
                return false;
            }

            buffer.Received(received);
            Volatile.Write(ref _lastReceived, Stopwatch.GetTimestamp());
        }

        return true;
    }

    /// <summary>Readable with nothing to read: the other side closed.</summary>
    private bool IsHungUp()
    {
        try
        {
            return _socket.Poll(0, SelectMode.SelectRead) && _socket.Available == 0;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }
}
