using System.Buffers.Binary;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Wire;

/// <summary>Finds frames in received bytes and reads their heads.</summary>
public static class KafkaFrameReader
{
    public const int LengthPrefixBytes = 4;

    /// <summary>Key, version and correlation id.</summary>
    public const int RequestBytesMin = 8;

    /// <summary>Looks at the length prefix.</summary>
    /// <param name="received">From the first byte of a frame on.</param>
    /// <param name="frameBytesMax">The largest frame taken, in bytes without the prefix.</param>
    /// <param name="frameBytes">The frame's size without the prefix; it may be more than has been received.</param>
    public static FrameVerdict Measure(ReadOnlySpan<byte> received, int frameBytesMax, out int frameBytes)
    {
        if (received.Length < LengthPrefixBytes)
        {
            frameBytes = 0;
            return FrameVerdict.Incomplete;
        }

        frameBytes = BinaryPrimitives.ReadInt32BigEndian(received);
        if (frameBytes < 0)
        {
            return FrameVerdict.NotAFrame;
        }

        if (frameBytes > frameBytesMax)
        {
            return FrameVerdict.TooLarge;
        }

        return received.Length - LengthPrefixBytes < frameBytes ? FrameVerdict.Incomplete : FrameVerdict.Complete;
    }

    /// <summary>
    /// Reads a request's head and leaves the reader at the body. Of a key or version without a schema only the first eight bytes are
    /// read, which lie the same in all versions: enough to refuse it, or to answer an ApiVersions from the future in version 0.
    /// </summary>
    public static bool TryReadRequestHeader(ref KafkaReader reader, out RequestHeader header)
    {
        ApiKey key = reader.ReadApiKey("RequestHeader.ApiKey");
        short version = reader.ReadInt16("RequestHeader.ApiVersion");
        int correlationId = reader.ReadInt32("RequestHeader.CorrelationId");
        string? clientId = null;
        if (RequestSchemas.Find(key) is { } schema && schema.Has(version))
        {
            // The client id keeps its old form in header version 2: only tagged fields were added.
            clientId = reader.ReadNullableString(flexible: false, "RequestHeader.ClientId");
            if (schema.IsFlexible(version))
            {
                reader.SkipTags("RequestHeader");
            }
        }

        header = new RequestHeader(key, version, correlationId, clientId);
        return !reader.Failed;
    }

    /// <summary>Reads an answer's head and leaves the reader at the body.</summary>
    public static bool TryReadResponseHeader(ref KafkaReader reader, MessageSchema request, int version, out int correlationId)
    {
        correlationId = reader.ReadInt32("ResponseHeader.CorrelationId");
        if (HeaderVersions.OfResponse(request, version) == 1)
        {
            reader.SkipTags("ResponseHeader");
        }

        return !reader.Failed;
    }
}
