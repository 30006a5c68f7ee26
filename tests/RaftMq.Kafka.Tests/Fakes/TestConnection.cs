using RaftMq.Kafka.Connections;
using RaftMq.Kafka.Wire;

namespace RaftMq.Kafka.Tests.Fakes;

/// <summary>
/// A client's end of a connection, without a socket: requests become bytes, go through the session one after the other as the listener would
/// hand them in, and answers become messages again. After each request its frame is overwritten, as a listener's buffer would be.
/// </summary>
internal sealed class TestConnection
{
    private readonly IKafkaSession session;
    private int nextCorrelation = 40;

    public TestConnection(FakeBroker? broker = null, KafkaFaceOptions? options = null, string listener = FakeBroker.Listener)
    {
        Clock = new FakeClock();
        Broker = broker ?? new FakeBroker(Clock);
        Face = new KafkaFace(Broker, Clock, Clock, Observer, options ?? new KafkaFaceOptions());
        session = Face.Open(new KafkaConnectionInfo(listener, "192.0.2.7"));
    }

    private TestConnection(TestConnection other)
    {
        Clock = other.Clock;
        Broker = other.Broker;
        Face = other.Face;
        Observer = other.Observer;
        session = Face.Open(new KafkaConnectionInfo(FakeBroker.Listener, "192.0.2.8"));
    }

    public FakeClock Clock { get; }

    public FakeBroker Broker { get; }

    public FakeObserver Observer { get; } = new();

    public KafkaFace Face { get; }

    public CancellationTokenSource Gone { get; } = new();

    /// <summary>Another connection to the same node.</summary>
    public TestConnection Another() => new(this);

    /// <summary>Sends, and waits for the answer.</summary>
    public async Task<TResponse> AskAsync<TRequest, TResponse>(
        IKafkaRequest<TRequest, TResponse> request, int version, string? clientId = "client")
        where TRequest : class, IKafkaRequest<TRequest, TResponse>
        where TResponse : class, IKafkaMessage<TResponse>
    {
        TestResponse sent = Send(request, version, clientId);
        await sent.Handled.WaitAsync(TestResponse.Patience);
        return await sent.ReadAsync<TResponse>();
    }

    /// <summary>Sends, and leaves the answer to come.</summary>
    public TestResponse Send(IKafkaMessage request, int version, string? clientId = "client")
    {
        using var writer = new KafkaWriter();
        int correlation = nextCorrelation++;
        KafkaFrameWriter.WriteRequest(writer, request, version, correlation, clientId);
        return SendFrame(writer.ToArray().AsMemory(KafkaFrameReader.LengthPrefixBytes), request.Schema, version, correlation);
    }

    /// <summary>Sends bytes, whatever they are.</summary>
    public TestResponse SendFrame(Memory<byte> frame, MessageSchema? schema = null, int version = 0, int correlation = 0)
    {
        var response = new TestResponse(schema, version, correlation);
        response.Handled = HandleAsync(frame, response);
        return response;
    }

    private async Task HandleAsync(Memory<byte> frame, TestResponse response)
    {
        await session.HandleAsync(frame, response, Gone.Token);
        frame.Span.Fill(0xEE);
    }
}
