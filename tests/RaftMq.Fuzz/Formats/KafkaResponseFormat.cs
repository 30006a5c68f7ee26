using System.Buffers.Binary;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Kafka;
using RaftMq.Fuzz.Mutation;
using RaftMq.Kafka.Wire;

namespace RaftMq.Fuzz.Formats;

/// <summary>What a broker answers, as our client reads it. Before the frame stand the API and the version that were asked for, two bytes each.</summary>
internal sealed class KafkaResponseFormat : FuzzFormat
{
    private const int AskedBytes = 4;

    public override string Name => "kafka-responses";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Kafka.Wire.KafkaReader", "RaftMq.Kafka.Wire.KafkaFrameReader::TryReadResponseHeader",
        .. MessageSamples.Types.Where(type => type.Name.EndsWith("Response", StringComparison.Ordinal)).Select(type => type.FullName!),
    ];

    public override IEnumerable<byte[]> Seeds()
    {
        FuzzRandom random = new(78);
        foreach (AnyMessage response in AnyMessage.Responses)
        {
            for (int version = response.Schema.VersionMin; version <= response.Schema.VersionMax; version++)
            {
                using KafkaWriter writer = new();
                writer.WriteApiKey(response.Schema.Key!.Value);
                writer.WriteInt16((short)version);
                byte[] asked = writer.ToArray();
                writer.Clear();
                KafkaFrameWriter.WriteResponse(writer, (IKafkaMessage)MessageSamples.Filled(response.Type, random), version, correlationId: 9);
                yield return [.. asked, .. writer.ToArray().AsSpan(KafkaFrameReader.LengthPrefixBytes)];
            }
        }
    }

    public override void Run(byte[] input)
    {
        if (input.Length < AskedBytes
            || AnyMessage.Response((ApiKey)BinaryPrimitives.ReadInt16BigEndian(input)) is not { } response
            || RequestSchemas(response) is not { } request)
        {
            return;
        }

        int version = BinaryPrimitives.ReadInt16BigEndian(input.AsSpan(2));
        if (!request.Schema.Has(version))
        {
            return;
        }

        KafkaReader reader = new(input.AsMemory(AskedBytes));
        IKafkaMessage? message = KafkaFrameReader.TryReadResponseHeader(ref reader, request.Schema, version, out _) ? response.Read(ref reader, version) : null;
        ReadDone();
        if (message is not null)
        {
            response.Check(message, version);
        }
    }

    private static AnyMessage? RequestSchemas(AnyMessage response) => AnyMessage.Request(response.Schema.Key!.Value);
}
