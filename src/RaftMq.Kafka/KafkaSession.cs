using RaftMq.Kafka.Connections;
using RaftMq.Kafka.Fetching;
using RaftMq.Kafka.Handlers;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Producing;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka;

/// <summary>One connection: heads of requests are read here, bodies by the handler of their API.</summary>
internal sealed class KafkaSession : IKafkaSession
{
    private readonly KafkaNode node;
    private readonly HandlerTable handlers;
    private FetchOperation? fetch;

    public KafkaSession(KafkaNode node, HandlerTable handlers, KafkaConnectionInfo info)
    {
        this.node = node;
        this.handlers = handlers;
        Info = info;
        Produces = new ProducePool(node);
    }

    public KafkaConnectionInfo Info { get; }

    /// <summary>The few names that come back in every request of a connection.</summary>
    public NameCache Names { get; } = new();

    public ProducePool Produces { get; }

    /// <summary>A connection has one fetch at a time, as its next request is not handed in before this one is answered.</summary>
    public FetchOperation Fetch => fetch ??= new FetchOperation(node);

    public ValueTask HandleAsync(ReadOnlyMemory<byte> frame, IPendingResponse response, CancellationToken cancellation)
    {
        var reader = new KafkaReader(frame, Names);
        if (!KafkaFrameReader.TryReadRequestHeader(ref reader, out RequestHeader header))
        {
            response.Close($"unreadable request header: {reader.FaultText}");
            return ValueTask.CompletedTask;
        }

        var request = new KafkaRequest(node, this, in header, frame[reader.Position..], response);
        if (!ServedVersions.Serves(header.Key, header.Version) || handlers.Find(header.Key) is not { } handler)
        {
            RefuseVersion(request);
            return ValueTask.CompletedTask;
        }

        ValueTask handling;
        try
        {
            handling = handler.HandleAsync(request, cancellation);
        }
        catch (Exception fault) when (fault is not InvariantViolationException)
        {
            request.Fail(fault);
            return ValueTask.CompletedTask;
        }

        return handling.IsCompletedSuccessfully ? handling : WatchAsync(handling, request);
    }

    /// <summary>
    /// A client that asks for a later ApiVersions than is served gets the oldest form, which all understand, and asks again (KIP-511). For
    /// any other API there is no form that it would understand: the connection is closed, as Kafka does.
    /// </summary>
    private static void RefuseVersion(KafkaRequest request)
    {
        if (request.Header.Key == ApiKey.ApiVersions)
        {
            ApiVersionsResponse answer = ApiVersionsHandler.Ranges();
            answer.Error = KafkaError.UnsupportedVersion;
            request.Answer(answer, version: 0);
            return;
        }

        request.Close($"{request.Header.Key} version {request.Version} is not served; ask ApiVersions for what is");
    }

    private static async ValueTask WatchAsync(ValueTask handling, KafkaRequest request)
    {
        try
        {
            await handling;
        }
        catch (OperationCanceledException)
        {
            request.Close("the connection is gone");
        }
        catch (Exception fault) when (fault is not InvariantViolationException)
        {
            request.Fail(fault);
        }
    }
}
