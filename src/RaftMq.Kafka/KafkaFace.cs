using RaftMq.Broker;
using RaftMq.Broker.Environment;
using RaftMq.Kafka.Connections;
using RaftMq.Kafka.Handlers;
using RaftMq.Kafka.Nodes;

namespace RaftMq.Kafka;

/// <summary>
/// The Kafka protocol on a broker. One per node; it holds what connections share. What is served and how each refusal is answered is
/// written in docs/kafka.md.
/// </summary>
public sealed class KafkaFace
{
    private readonly KafkaNode node;
    private readonly HandlerTable handlers;

    /// <param name="broker">Decides everything; the face only translates.</param>
    /// <param name="clock">The broker's own clock: deadlines are handed over on its monotonic scale.</param>
    /// <param name="timers">Ends long polls, and measures requests.</param>
    /// <param name="observer">For metrics and logs.</param>
    /// <param name="options">Limits.</param>
    public KafkaFace(IBroker broker, IClock clock, TimeProvider timers, IKafkaObserver observer, KafkaFaceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        node = new KafkaNode(broker, clock, timers, observer, options.Limits);
        handlers = new HandlerTable(node);
    }

    /// <summary>The protocol of one connection. The session holds nothing that must be given back when the connection ends.</summary>
    public IKafkaSession Open(KafkaConnectionInfo info) => new KafkaSession(node, handlers, info);
}
