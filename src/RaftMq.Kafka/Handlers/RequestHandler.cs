using RaftMq.Kafka.Wire;

namespace RaftMq.Kafka.Handlers;

/// <summary>Serves one API, for all connections of the node.</summary>
internal abstract class RequestHandler
{
    public abstract ApiKey Key { get; }

    /// <summary>
    /// Answers or closes, exactly once. The request's bytes are valid until the returned task ends. May throw: the session then closes the
    /// connection.
    /// </summary>
    public abstract ValueTask HandleAsync(KafkaRequest request, CancellationToken cancellation);
}
