using RaftMq.Kafka.Wire;

namespace RaftMq.Kafka.Connections;

/// <summary>An answer as it goes out: what was written for it, and between that the records where they lie.</summary>
internal sealed class EncodedResponse : KafkaResponse
{
    private readonly KafkaWriter writer = new();
    private readonly List<ReadOnlyMemory<byte>> buffers = [];

    /// <param name="message">The body.</param>
    /// <param name="version">Of the request.</param>
    /// <param name="correlationId">Of the request.</param>
    public EncodedResponse(IKafkaMessage message, int version, int correlationId)
    {
        KafkaFrameWriter.WriteResponse(writer, message, version, correlationId);
        writer.AppendSegments(buffers);
        LengthBytes = writer.Length;
    }

    public override IReadOnlyList<ReadOnlyMemory<byte>> Buffers => buffers;

    public override long LengthBytes { get; }

    public override void Dispose()
    {
        buffers.Clear();
        writer.Dispose();
    }
}
