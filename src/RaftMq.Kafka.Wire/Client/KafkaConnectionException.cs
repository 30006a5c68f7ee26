namespace RaftMq.Kafka.Wire.Client;

/// <summary>A connection failed, or what came over it is not the protocol. The connection is closed; whether the last requests were carried out is not known.</summary>
public sealed class KafkaConnectionException : IOException
{
    public KafkaConnectionException(string message)
        : base(message)
    {
    }

    public KafkaConnectionException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public KafkaConnectionException()
    {
    }

    /// <summary>No address was reached where a broker answers, now or before: they may be those of something else.</summary>
    public bool NothingAnswered { get; init; }

    /// <summary>What each address failed with; empty where one connection failed.</summary>
    public IReadOnlyDictionary<KafkaEndpoint, KafkaConnectionException> Tried { get; init; } = new Dictionary<KafkaEndpoint, KafkaConnectionException>();
}
