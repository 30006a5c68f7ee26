using Microsoft.Extensions.Logging;
using RaftMq.Kafka;
using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Hosting;

/// <summary>What the Kafka face reports, as metrics and logs. Request times are measured by the connection, which also knows the rest.</summary>
internal sealed partial class KafkaObserver(MetricRegistry registry, ILogger logger) : IKafkaObserver
{
    private readonly ILogger _logger = logger;

    private readonly Counter _refused = registry.Counter(
        "raftmq_kafka_batches_refused_total", "Batches of producers that were refused before anything of them was written.");

    private readonly Counter _failed = registry.Counter(
        "raftmq_kafka_requests_failed_total", "Requests that failed by a fault of this program; each closed its connection.");

    public void Answered(short apiKey, short apiVersion, TimeSpan elapsed)
    {
    }

    public void BatchRefused(string topic, int partition, string reason)
    {
        _refused.Increment();
        LogRefused(topic, partition, reason);
    }

    public void Failed(short apiKey, short apiVersion, Exception fault)
    {
        _failed.Increment();
        LogFailed(apiKey, apiVersion, fault);
    }

    [LoggerMessage(1121, LogLevel.Debug, "A batch for {Topic}/{Partition} was refused: {Reason}")]
    private partial void LogRefused(string topic, int partition, string reason);

    [LoggerMessage(1122, LogLevel.Error, "A request (API {ApiKey}, version {ApiVersion}) failed inside the node")]
    private partial void LogFailed(short apiKey, short apiVersion, Exception fault);
}
