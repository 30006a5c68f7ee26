using System.Buffers;

namespace RaftMq.Kafka.Wire.Client;

/// <summary>
/// An answer and the received frame it lies in. Records in the message are slices of that frame: they are valid until this is disposed, which
/// gives the frame back to the pool. A reply that is never disposed costs the pool a buffer and nothing else.
/// </summary>
public sealed class KafkaReply<TResponse> : IDisposable
    where TResponse : class
{
    private byte[]? frame;

    internal KafkaReply(TResponse message, int version, byte[] frame)
    {
        Message = message;
        Version = version;
        this.frame = frame;
    }

    public TResponse Message { get; }

    /// <summary>The version that was negotiated.</summary>
    public int Version { get; }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref frame, null) is { } rented)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
