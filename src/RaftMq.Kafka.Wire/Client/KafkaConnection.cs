using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Wire.Client;

/// <summary>
/// One connection to one broker. (1) <see cref="ConnectAsync"/> connects and asks for the broker's versions. (2) Requests are sent from any
/// thread, several in flight, and answered in order. (3) The first fault closes it for good: all waiting requests fail, and so does
/// every later one. Making a new one is the caller's decision.
/// </summary>
public sealed class KafkaConnection : IAsyncDisposable
{
    private readonly Socket socket;
    private readonly Stream stream;
    private readonly KafkaConnectionOptions options;
    private readonly SemaphoreSlim inFlight;

    // Held while a frame is written, so that frames do not mix and pending requests stand in the order of their frames.
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly KafkaWriter writer = new();
    private readonly List<ReadOnlyMemory<byte>> segments = [];
    private readonly List<ArraySegment<byte>> gather = [];
    private readonly Queue<PendingRequest> pending = new();
    private readonly CancellationTokenSource closing = new();
    private Task reading = Task.CompletedTask;
    private Dictionary<ApiKey, ApiVersionRange> versions = [];
    private int nextCorrelationId;

    // Guarded by pending: once set, nothing is added to it.
    private Exception? fault;

    private KafkaConnection(KafkaEndpoint endpoint, Socket socket, Stream stream, KafkaConnectionOptions options)
    {
        Endpoint = endpoint;
        this.socket = socket;
        this.stream = stream;
        this.options = options;
        inFlight = new SemaphoreSlim(options.RequestsInFlightMax, options.RequestsInFlightMax);
    }

    public KafkaEndpoint Endpoint { get; }

    /// <summary>False once a fault closed it.</summary>
    public bool IsOpen
    {
        get
        {
            lock (pending)
            {
                return fault is null;
            }
        }
    }

    /// <summary>What the broker said it serves.</summary>
    public IReadOnlyCollection<ApiVersionRange> BrokerVersions => versions.Values;

    /// <exception cref="KafkaConnectionException">No connection, no TLS, no answer in time, or no broker.</exception>
    public static async Task<KafkaConnection> ConnectAsync(
        KafkaEndpoint endpoint, KafkaConnectionOptions options, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.ConnectTimeout);
        KafkaConnection? connection = null;
        Socket connecting = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await connecting.ConnectAsync(endpoint.Host, endpoint.Port, limit.Token).ConfigureAwait(false);
            Stream secured = new NetworkStream(connecting, ownsSocket: true);
            if (options.Tls is { } tls)
            {
                secured = await SecureAsync(secured, tls, endpoint, limit.Token).ConfigureAwait(false);
            }

            connection = new KafkaConnection(endpoint, connecting, secured, options);
            connection.reading = connection.ReadLoopAsync();
            await connection.NegotiateAsync(limit.Token).ConfigureAwait(false);
            KafkaConnection connected = connection;
            connection = null;
            return connected;
        }
        catch (Exception wrong) when (wrong is SocketException or IOException or OperationCanceledException or ArgumentException
            or System.Security.Authentication.AuthenticationException)
        {
            connecting.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw new KafkaConnectionException(
                wrong switch
                {
                    KafkaConnectionException named => named.Message,
                    OperationCanceledException => $"{endpoint}: no answer within {options.ConnectTimeout.TotalSeconds:0.#} s",

                    // What the base library says of names that are too long, and of addresses to listen at.
                    ArgumentException => $"{endpoint}: nothing can be connected to under this address",
                    SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"{endpoint}: connection refused",
                    _ => $"{endpoint}: {wrong.Message}",
                },
                wrong);
        }
        finally
        {
            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>The highest version that both ends have.</summary>
    /// <exception cref="KafkaConnectionException">There is none.</exception>
    public int NegotiatedVersion(MessageSchema request) => TryNegotiate(request, out int version)
        ? version
        : throw new KafkaConnectionException($"{Endpoint} does not serve {request.Name} in a version known here");

    public bool TryNegotiate(MessageSchema request, out int version)
    {
        version = 0;
        if (request.Key is not { } key || !versions.TryGetValue(key, out ApiVersionRange range))
        {
            return false;
        }

        version = Math.Min(range.Max, request.VersionMax);
        return version >= Math.Max(range.Min, request.VersionMin);
    }

    /// <summary>
    /// Sends a request and waits for its answer. Giving up the wait does not take the request back; while the request is still being written, it
    /// closes the connection, as half a frame can't be left behind.
    /// </summary>
    /// <param name="request">Must stay as it is, records included, until it is answered.</param>
    /// <param name="versionMax">A limit below what is negotiated, or null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KafkaConnectionException">The connection failed before the answer.</exception>
    public async Task<KafkaReply<TResponse>> SendAsync<TRequest, TResponse>(
        IKafkaRequest<TRequest, TResponse> request, int? versionMax, CancellationToken cancellationToken)
        where TRequest : class, IKafkaRequest<TRequest, TResponse>
        where TResponse : class, IKafkaMessage<TResponse>
    {
        int version = Math.Min(NegotiatedVersion(TRequest.Schema), versionMax ?? int.MaxValue);
        return await SendVersionAsync(request, version, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="SendAsync{TRequest,TResponse}(IKafkaRequest{TRequest,TResponse},int?,CancellationToken)"/>
    public Task<KafkaReply<TResponse>> SendAsync<TRequest, TResponse>(
        IKafkaRequest<TRequest, TResponse> request, CancellationToken cancellationToken)
        where TRequest : class, IKafkaRequest<TRequest, TResponse>
        where TResponse : class, IKafkaMessage<TResponse> =>
        SendAsync(request, versionMax: null, cancellationToken);

    /// <summary>Sends a request that has no answer: a produce request with acks 0. Returns when the bytes are with the system.</summary>
    public async Task SendOneWayAsync(IKafkaMessage request, CancellationToken cancellationToken)
    {
        int version = NegotiatedVersion(request.Schema);
        await writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await WriteAsync(request, version, nextCorrelationId++, expected: null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Close(new KafkaConnectionException($"{Endpoint}: closed"));
        await reading.ConfigureAwait(false);

        // A writer that is still inside has failed with the socket and leaves at once.
        await writing.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        writer.Dispose();
        writing.Release();
        await stream.DisposeAsync().ConfigureAwait(false);
        closing.Dispose();
    }

    private static async Task<Stream> SecureAsync(
        Stream plain, SslClientAuthenticationOptions tls, KafkaEndpoint endpoint, CancellationToken cancellationToken)
    {
        SslStream secure = new(plain, leaveInnerStreamOpen: false);
        try
        {
            tls.TargetHost ??= endpoint.Host;
            await secure.AuthenticateAsClientAsync(tls, cancellationToken).ConfigureAwait(false);
            return secure;
        }
        catch
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>KIP-511: ask in the newest version known here; a broker that does not know it answers 35 in version 0, with its range.</summary>
    private async Task NegotiateAsync(CancellationToken cancellationToken)
    {
        ApiVersionsRequest ask = new() { ClientSoftwareName = "raftmq", ClientSoftwareVersion = "0" };
        using KafkaReply<ApiVersionsResponse> first =
            await SendVersionAsync(ask, ApiVersionsRequest.Schema.VersionMax, cancellationToken).ConfigureAwait(false);
        ApiVersionsResponse answer = first.Message;
        if (answer.Error == KafkaError.UnsupportedVersion)
        {
            using KafkaReply<ApiVersionsResponse> second = await SendVersionAsync(ask, 0, cancellationToken).ConfigureAwait(false);
            answer = second.Message;
        }

        if (answer.Error != KafkaError.None)
        {
            throw new KafkaConnectionException($"{Endpoint} refused ApiVersions with {KafkaErrors.Name(answer.Error)}");
        }

        Dictionary<ApiKey, ApiVersionRange> ranges = [];
        foreach (ApiVersionsResponse.Api api in answer.ApiKeys)
        {
            ranges[api.ApiKey] = new ApiVersionRange(api.ApiKey, api.MinVersion, api.MaxVersion);
        }

        versions = ranges;
    }

    private async Task<KafkaReply<TResponse>> SendVersionAsync<TRequest, TResponse>(
        IKafkaRequest<TRequest, TResponse> request, int version, CancellationToken cancellationToken)
        where TRequest : class, IKafkaRequest<TRequest, TResponse>
        where TResponse : class, IKafkaMessage<TResponse>
    {
        await using Timer? silence = options.RequestTimeout is { } time ? new Timer(CloseSilent, state: null, time, Timeout.InfiniteTimeSpan) : null;
        await inFlight.WaitAsync(cancellationToken).ConfigureAwait(false);
        PendingRequest<TRequest, TResponse> expected;
        try
        {
            await writing.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                expected = new PendingRequest<TRequest, TResponse>(nextCorrelationId++, version);
                await WriteAsync(request, version, expected.CorrelationId, expected, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                writing.Release();
            }
        }
        catch
        {
            // The read loop gives the place back only for requests that reached it.
            inFlight.Release();
            throw;
        }

        cancellationToken.ThrowIfCancellationRequested();
        return await expected.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private void CloseSilent(object? state) => Close(new KafkaConnectionException(
        $"{Endpoint}: takes the connection and says nothing within {options.RequestTimeout!.Value.TotalSeconds:0.#} s"));

    private static void CloseHalfWritten(object? state)
    {
        var connection = (KafkaConnection)state!;
        connection.Close(new KafkaConnectionException($"{connection.Endpoint}: a request was given up while it was written"));
    }

    /// <summary>Writes one frame. From the first byte on it is not given up halfway but fails with the connection, which the token closes.</summary>
    private async Task WriteAsync(
        IKafkaMessage request, int version, int correlationId, PendingRequest? expected, CancellationToken cancellationToken)
    {
        writer.Clear();
        KafkaFrameWriter.WriteRequest(writer, request, version, correlationId, options.ClientId);
        lock (pending)
        {
            if (fault is not null)
            {
                throw new KafkaConnectionException(fault.Message, fault);
            }

            if (expected is not null)
            {
                pending.Enqueue(expected);
            }
        }

        await using CancellationTokenRegistration givenUp = cancellationToken.UnsafeRegister(CloseHalfWritten, this);
        try
        {
            await FlushAsync().ConfigureAwait(false);
        }
        catch (Exception wrong) when (wrong is SocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The request is in the queue, so it fails from there like the others.
            Close(new KafkaConnectionException($"{Endpoint}: {wrong.Message}", wrong));
            if (expected is null)
            {
                throw new KafkaConnectionException($"{Endpoint}: {wrong.Message}", wrong);
            }
        }
    }

    private async Task FlushAsync()
    {
        if (writer.IsContiguous)
        {
            await stream.WriteAsync(writer.Written, closing.Token).ConfigureAwait(false);
            return;
        }

        segments.Clear();
        writer.AppendSegments(segments);
        if (stream is NetworkStream && TryGather())
        {
            // A blocking socket takes the whole list in one call.
            await socket.SendAsync(gather, SocketFlags.None).ConfigureAwait(false);
            return;
        }

        foreach (ReadOnlyMemory<byte> segment in segments)
        {
            await stream.WriteAsync(segment, closing.Token).ConfigureAwait(false);
        }
    }

    private bool TryGather()
    {
        gather.Clear();
        foreach (ReadOnlyMemory<byte> segment in segments)
        {
            if (!MemoryMarshal.TryGetArray(segment, out ArraySegment<byte> array))
            {
                return false;
            }

            gather.Add(array);
        }

        return true;
    }

    [SuppressMessage("Design", "CA1031", Justification = "The top of an owned loop: whatever ends it must fail the requests that wait.")]
    private async Task ReadLoopAsync()
    {
        // Small answers come several to a read; a large one is read straight into its own frame.
        byte[] received = ArrayPool<byte>.Shared.Rent(64 * 1024);
        int from = 0;
        int to = 0;
        try
        {
            while (true)
            {
                while (to - from < KafkaFrameReader.LengthPrefixBytes)
                {
                    received.AsSpan(from, to - from).CopyTo(received);
                    to -= from;
                    from = 0;
                    int read = await stream.ReadAsync(received.AsMemory(to), closing.Token).ConfigureAwait(false);
                    if (read == 0)
                    {
                        throw new KafkaConnectionException($"{Endpoint}: the broker closed the connection");
                    }

                    to += read;
                }

                int frameBytes = BinaryPrimitives.ReadInt32BigEndian(received.AsSpan(from));
                from += KafkaFrameReader.LengthPrefixBytes;
                if (frameBytes < 4 || frameBytes > options.ResponseBytesMax)
                {
                    throw new KafkaConnectionException(
                        $"{Endpoint}: an answer of {frameBytes} bytes; between 4 and {options.ResponseBytesMax} are taken");
                }

                byte[] frame = ArrayPool<byte>.Shared.Rent(frameBytes);
                int here = Math.Min(frameBytes, to - from);
                received.AsSpan(from, here).CopyTo(frame);
                from += here;
                await stream.ReadExactlyAsync(frame.AsMemory(here, frameBytes - here), closing.Token).ConfigureAwait(false);
                Answer(frame, frameBytes);
            }
        }
        catch (KafkaConnectionException known)
        {
            Close(known);
        }
        catch (Exception wrong)
        {
            Close(new KafkaConnectionException($"{Endpoint}: {wrong.Message}", wrong));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(received);
        }
    }

    private void Answer(byte[] frame, int frameBytes)
    {
        PendingRequest? expected;
        lock (pending)
        {
            pending.TryDequeue(out expected);
        }

        if (expected is null)
        {
            throw new KafkaConnectionException($"{Endpoint}: an answer that nothing asked for");
        }

        inFlight.Release();
        if (expected.Complete(frame, frameBytes) is { } wrong)
        {
            KafkaConnectionException reason = new($"{Endpoint}: {wrong}");
            expected.Fail(reason);
            throw reason;
        }
    }

    private void Close(KafkaConnectionException reason)
    {
        List<PendingRequest> lost;
        lock (pending)
        {
            if (fault is not null)
            {
                return;
            }

            fault = reason;
            lost = [.. pending];
            pending.Clear();
        }

        closing.Cancel();
        socket.Dispose();
        foreach (PendingRequest request in lost)
        {
            inFlight.Release();
            request.Fail(reason);
        }
    }
}
