using RaftMq.Broker;
using RaftMq.Broker.Environment;
using RaftMq.Kafka.Producers;

namespace RaftMq.Kafka.Nodes;

/// <summary>What all connections of a node share.</summary>
internal sealed class KafkaNode
{
    public KafkaNode(
        IBroker broker, IClock clock, TimeProvider timers, IKafkaObserver observer, KafkaLimits limits)
    {
        Broker = broker;
        Clock = clock;
        Timers = timers;
        Observer = observer;
        Limits = limits;
        ProducerIds = new ProducerIdBlocks(this);
    }

    public IBroker Broker { get; }

    public IClock Clock { get; }

    public TimeProvider Timers { get; }

    public IKafkaObserver Observer { get; }

    public KafkaLimits Limits { get; }

    public ProducerIdBlocks ProducerIds { get; }

    /// <summary>When an administrative command that may take <paramref name="timeoutMs"/> is late, on the broker's monotonic clock.</summary>
    public long AdminDeadlineMs(int timeoutMs) =>
        Clock.MonotonicMs + Math.Clamp(timeoutMs, Limits.AdminTimeoutMsMin, Limits.AdminTimeoutMsMax);
}
