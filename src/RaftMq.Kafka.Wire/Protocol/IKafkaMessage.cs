using System.Diagnostics.CodeAnalysis;

namespace RaftMq.Kafka.Wire;

/// <summary>A message made from its schema. A property that a version does not have is not written and keeps its default when read.</summary>
public interface IKafkaMessage
{
    MessageSchema Schema { get; }

    /// <summary>Writes the body. A null where the version has no null becomes empty.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The schema does not have the version.</exception>
    void Write(KafkaWriter writer, int version);
}

/// <summary>A message that can be read.</summary>
public interface IKafkaMessage<TSelf> : IKafkaMessage
    where TSelf : class, IKafkaMessage<TSelf>
{
    static new abstract MessageSchema Schema { get; }

    /// <summary>
    /// Reads the body. Bytes that follow it are left alone, as brokers do. On false the reader's <see cref="KafkaReader.FaultText"/> names the
    /// field. Nothing is allocated that the bytes at hand could not fill.
    /// </summary>
    static abstract bool TryRead(ref KafkaReader reader, int version, [NotNullWhen(true)] out TSelf? message);
}

/// <summary>A request, tied to what answers it.</summary>
public interface IKafkaRequest<TSelf, TResponse> : IKafkaMessage<TSelf>
    where TSelf : class, IKafkaRequest<TSelf, TResponse>
    where TResponse : class, IKafkaMessage<TResponse>;
