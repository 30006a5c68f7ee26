using System.Collections.Concurrent;
using RaftMq.Kafka.Connections;

namespace RaftMq.Server.Tests.Listeners;

internal sealed class TestSessions
{
    public int Handled;
    public int LiveResponses;

    public ConcurrentQueue<Action> Held { get; } = new();

    public ConcurrentQueue<KafkaConnectionInfo> Opened { get; } = new();

    public IKafkaSession Open(KafkaConnectionInfo info)
    {
        Opened.Enqueue(info);
        return new TestSession(this);
    }
}
