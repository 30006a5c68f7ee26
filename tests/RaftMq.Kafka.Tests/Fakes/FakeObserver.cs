using System.Collections.Concurrent;

namespace RaftMq.Kafka.Tests.Fakes;

internal sealed class FakeObserver : IKafkaObserver
{
    public ConcurrentQueue<(short ApiKey, short Version)> Answers { get; } = [];

    public ConcurrentQueue<string> Refusals { get; } = [];

    /// <summary>Faults of our own: every test ends with none.</summary>
    public ConcurrentQueue<Exception> Faults { get; } = [];

    public void Answered(short apiKey, short apiVersion, TimeSpan elapsed) => Answers.Enqueue((apiKey, apiVersion));

    public void BatchRefused(string topic, int partition, string reason) => Refusals.Enqueue(reason);

    public void Failed(short apiKey, short apiVersion, Exception fault) => Faults.Enqueue(fault);
}
