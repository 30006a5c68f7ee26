using System.Runtime.InteropServices;

namespace RaftMq.Kafka.Connections;

/// <summary>
/// The place of one response in a connection's order: Kafka answers requests of a connection in the order in which they came.
/// Exactly one method is called, once, from any thread; the connection sends when all earlier ones are there.
/// </summary>
public interface IPendingResponse
{
    /// <summary>Takes the response over; the connection disposes it when it is sent or the connection is gone.</summary>
    void Complete(KafkaResponse response);

    /// <summary>Nothing is to be sent (Produce with acks=0).</summary>
    void CompleteWithNothing();

    /// <summary>The connection is to be closed, once all earlier responses are sent. The reason is logged.</summary>
    void Close(string reason);
}

/// <summary>
/// An encoded response: the size prefix, the header and the body as a list of buffers to send one behind the other without copying them
/// together. Disposing gives the buffers back to where they came from.
/// </summary>
public abstract class KafkaResponse : IDisposable
{
    /// <summary>Enough for an array of headers and one of records that take turns.</summary>
    private const int BuffersLookedBack = 8;

    public abstract IReadOnlyList<ReadOnlyMemory<byte>> Buffers { get; }

    public abstract long LengthBytes { get; }

    /// <summary>
    /// Memory that can't be freed while this lives, from the buffers as they are now: the whole arrays of which they are parts. A few bytes of
    /// the log's newest entries hold the block of the tail that they lie in. An array that comes again later than a few buffers is counted again.
    /// </summary>
    public long HeldBytes()
    {
        IReadOnlyList<ReadOnlyMemory<byte>> buffers = Buffers;
        long held = 0;
        for (int i = 0; i < buffers.Count; i++)
        {
            if (!MemoryMarshal.TryGetArray(buffers[i], out ArraySegment<byte> part))
            {
                held += buffers[i].Length;
            }
            else if (!IsAmongLast(buffers, i, part.Array!))
            {
                held += part.Array!.Length;
            }
        }

        return held;
    }

    public abstract void Dispose();

    private static bool IsAmongLast(IReadOnlyList<ReadOnlyMemory<byte>> buffers, int end, byte[] array)
    {
        for (int i = Math.Max(0, end - BuffersLookedBack); i < end; i++)
        {
            if (MemoryMarshal.TryGetArray(buffers[i], out ArraySegment<byte> part) && part.Array == array)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>What the connection knows of its client.</summary>
/// <param name="Listener">The listener's name; metadata answers with the addresses advertised for it.</param>
/// <param name="RemoteAddress">For logs only.</param>
public sealed record KafkaConnectionInfo(string Listener, string RemoteAddress);

/// <summary>The Kafka protocol of one connection. Made per connection by <c>KafkaFace.Open</c>.</summary>
public interface IKafkaSession
{
    /// <summary>
    /// Handles one request frame (without the size prefix). The frame's memory is valid until the returned task completes; then, and
    /// not before, the next frame is handed in. The response may come later. Produce returns once the broker has admitted every
    /// batch (back-pressure: the connection is not read meanwhile), all other requests when they are answered.
    /// Never throws for what a client sent: it answers with an error or closes.
    /// </summary>
    ValueTask HandleAsync(ReadOnlyMemory<byte> frame, IPendingResponse response, CancellationToken cancellation);
}
