using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Wire;

/// <summary>Writes whole frames: length prefix, head, body.</summary>
public static class KafkaFrameWriter
{
    /// <summary>Appends a request's frame to the writer.</summary>
    public static void WriteRequest(KafkaWriter writer, IKafkaMessage request, int version, int correlationId, string? clientId)
    {
        MessageSchema schema = request.Schema;
        int start = Begin(writer, out int position);
        writer.WriteApiKey(schema.Key ?? throw new ArgumentException($"{schema.Name} is not a request.", nameof(request)));
        writer.WriteInt16((short)version);
        writer.WriteInt32(correlationId);
        writer.WriteNullableString(clientId, flexible: false, nullAllowed: true);
        if (HeaderVersions.OfRequest(schema, version) == 2)
        {
            writer.WriteTagCount(0);
        }

        request.Write(writer, version);
        End(writer, start, position);
    }

    /// <summary>Appends an answer's frame to the writer. The version is the request's, also in the ApiVersions answer of version 0.</summary>
    public static void WriteResponse(KafkaWriter writer, IKafkaMessage response, int version, int correlationId)
    {
        ApiKey key = response.Schema.Key ?? throw new ArgumentException($"{response.Schema.Name} is not an answer.", nameof(response));
        MessageSchema request = RequestSchemas.Find(key)
            ?? throw new ArgumentException($"{response.Schema.Name} answers no request.", nameof(response));
        int start = Begin(writer, out int position);
        writer.WriteInt32(correlationId);
        if (HeaderVersions.OfResponse(request, version) == 1)
        {
            writer.WriteTagCount(0);
        }

        response.Write(writer, version);
        End(writer, start, position);
    }

    private static int Begin(KafkaWriter writer, out int position)
    {
        int start = writer.Length;
        position = writer.BufferedBytes;
        writer.WriteInt32(0);
        return start;
    }

    private static void End(KafkaWriter writer, int start, int position) =>
        writer.PatchInt32(position, writer.Length - start - KafkaFrameReader.LengthPrefixBytes);
}
