namespace RaftMq.Kafka;

/// <summary>
/// Hears what the Kafka face does, for metrics and logs. Called on whatever thread does the work, also inside a section: do little, never
/// block.
/// </summary>
public interface IKafkaObserver
{
    /// <summary>An answer is encoded and on its way to the connection (or, for a produce without acks, there is none).</summary>
    /// <param name="apiKey">The protocol's number of the API.</param>
    /// <param name="apiVersion">The version the client chose.</param>
    /// <param name="elapsed">Since the request was handed in.</param>
    void Answered(short apiKey, short apiVersion, TimeSpan elapsed);

    /// <summary>A producer's batch was refused before anything of it was written.</summary>
    void BatchRefused(string topic, int partition, string reason);

    /// <summary>A request failed by a fault of this program; its connection is closed.</summary>
    void Failed(short apiKey, short apiVersion, Exception fault);
}
