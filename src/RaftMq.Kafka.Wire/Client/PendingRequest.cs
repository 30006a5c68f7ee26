using System.Buffers;
using System.Buffers.Binary;

namespace RaftMq.Kafka.Wire.Client;

/// <summary>A request that was sent: what its answer completes.</summary>
internal abstract class PendingRequest(int correlationId)
{
    public int CorrelationId { get; } = correlationId;

    /// <summary>Takes over the rented frame, which begins behind the length prefix.</summary>
    /// <returns>What is wrong with the frame, or null.</returns>
    public abstract string? Complete(byte[] frame, int frameBytes);

    public abstract void Fail(Exception reason);
}

/// <inheritdoc/>
internal sealed class PendingRequest<TRequest, TResponse>(int correlationId, int version) : PendingRequest(correlationId)
    where TRequest : class, IKafkaRequest<TRequest, TResponse>
    where TResponse : class, IKafkaMessage<TResponse>
{
    private readonly TaskCompletionSource<KafkaReply<TResponse>> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<KafkaReply<TResponse>> Done => done.Task;

    public override string? Complete(byte[] frame, int frameBytes)
    {
        KafkaReader reader = new(frame.AsMemory(0, frameBytes), names: null, elementsMax: int.MaxValue);
        if (KafkaFrameReader.TryReadResponseHeader(ref reader, TRequest.Schema, version, out int answered)
            && answered != CorrelationId)
        {
            ArrayPool<byte>.Shared.Return(frame);
            return $"the answer is to request {answered}, expected was the one to {CorrelationId}";
        }

        // KIP-511: a broker that does not know the version of an ApiVersions request answers error 35 in the form of version 0.
        bool oldForm = TRequest.Schema.Key == ApiKey.ApiVersions
            && reader.Remaining >= sizeof(short)
            && BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(reader.Position)) == (short)KafkaError.UnsupportedVersion;
        if (!TResponse.TryRead(ref reader, oldForm ? 0 : version, out TResponse? message))
        {
            ArrayPool<byte>.Shared.Return(frame);
            return reader.FaultText;
        }

        KafkaReply<TResponse> reply = new(message, version, frame);
        if (!done.TrySetResult(reply))
        {
            reply.Dispose();
        }

        return null;
    }

    public override void Fail(Exception reason) => done.TrySetException(reason);
}
