using System.Buffers.Binary;
using System.Runtime.ExceptionServices;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Kafka;
using RaftMq.Fuzz.Mutation;
using RaftMq.Kafka;
using RaftMq.Kafka.Connections;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;

namespace RaftMq.Fuzz.Formats;

/// <summary>
/// What a Kafka client sends: frames behind each other, each through the session to the handler of its API and to the coordinators behind it. Each
/// ends in one answer, which our own client can read, or closes the connection.
/// </summary>
internal sealed class KafkaRequestFormat : FuzzFormat
{
    private const int FrameBytesMax = 1 << 20;
    private const int FramesMax = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public override string Name => "kafka-requests";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Kafka.Wire.KafkaReader", "RaftMq.Kafka.Wire.KafkaFrameReader", "RaftMq.Kafka.Wire.NameCache", "RaftMq.Records.Varint",
        "RaftMq.Kafka.KafkaSession", "RaftMq.Kafka.KafkaRequest", "RaftMq.Kafka.Handlers.*",
        .. MessageSamples.Types.Where(type => type.Name.EndsWith("Request", StringComparison.Ordinal)).Select(type => type.FullName!),
    ];

    /// <summary>An element of three bytes becomes up to 300 while its request is served (KafkaLimits); a bare request finds a cluster to tell of.</summary>
    public override long AllocatedBytesMax(int inputBytes) => (192L * inputBytes) + (512 << 10);

    public override IReadOnlyList<byte[]> Tokens =>
        [.. new[] { "orders", "group", "consumer", "range", "retention.ms", "fresh", "__consumer_offsets" }.Select(System.Text.Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds()
    {
        FuzzRandom random = new(77);
        foreach (AnyMessage request in AnyMessage.Requests)
        {
            for (int version = request.Schema.VersionMin; version <= request.Schema.VersionMax; version++)
            {
                // Two of a kind behind each other: the second one meets what the first one left.
                using KafkaWriter writer = new();
                KafkaFrameWriter.WriteRequest(writer, (IKafkaMessage)MessageSamples.Filled(request.Type, random), version, 5 + version, "client");
                KafkaFrameWriter.WriteRequest(writer, (IKafkaMessage)MessageSamples.Filled(request.Type, random), version, 6 + version, clientId: null);
                yield return writer.ToArray();
            }
        }
    }

    public override void Run(byte[] input)
    {
        FakeClock clock = new();
        FakeObserver observer = new();
        IKafkaSession session = new KafkaFace(new FuzzBroker(clock), clock, clock, observer, new KafkaFaceOptions())
            .Open(new KafkaConnectionInfo(FakeBroker.Listener, "192.0.2.7"));
        BeginMeasure();
        using CancellationTokenSource gone = new();
        List<(ReadOnlyMemory<byte> Frame, FuzzResponse Response)> asked = [];
        int at = 0;
        while (asked.Count < FramesMax
            && KafkaFrameReader.Measure(input.AsSpan(at), FrameBytesMax, out int frameBytes) == FrameVerdict.Complete)
        {
            ReadOnlyMemory<byte> frame = input.AsMemory(at + KafkaFrameReader.LengthPrefixBytes, frameBytes);
            FuzzResponse response = new();
            asked.Add((frame, response));
            ValueTask handling = session.HandleAsync(frame, response, gone.Token);
            if (!Finish(handling, response, gone))
            {
                break;
            }

            at += KafkaFrameReader.LengthPrefixBytes + frameBytes;
        }

        ReadDone();
        if (observer.Faults.TryDequeue(out Exception? fault))
        {
            ExceptionDispatchInfo.Throw(fault);
        }

        foreach ((ReadOnlyMemory<byte> frame, FuzzResponse response) in asked)
        {
            Oracle.Holds(response.IsEnded, "a request is answered, or its connection closed");
            Check(frame, response);
        }
    }

    /// <summary>False when the connection is at its end. A request that waits ends with its connection.</summary>
    private static bool Finish(ValueTask handling, FuzzResponse response, CancellationTokenSource gone)
    {
        if (handling.IsCompleted && response.IsEnded)
        {
            handling.GetAwaiter().GetResult();
            return !response.IsClosed;
        }

        gone.Cancel();
        using ManualResetEventSlim ended = new();
        handling.GetAwaiter().OnCompleted(ended.Set);
        Oracle.Holds(ended.Wait(Patience, CancellationToken.None), "a request ends with its connection");
        return false;
    }

    private static void Check(ReadOnlyMemory<byte> frame, FuzzResponse response)
    {
        KafkaReader reader = new(frame);
        if (!KafkaFrameReader.TryReadRequestHeader(ref reader, out RequestHeader header) || AnyMessage.Request(header.Key) is not { } request)
        {
            return;
        }

        if (request.Schema.Has(header.Version) && request.Read(ref reader, header.Version) is { } message)
        {
            request.Check(message, header.Version);
        }

        if (response.Frame is { } answer)
        {
            CheckAnswer(answer, header, request);
        }
    }

    private static void CheckAnswer(byte[] answer, RequestHeader header, AnyMessage request)
    {
        Oracle.Holds(
            answer.Length - KafkaFrameReader.LengthPrefixBytes == BinaryPrimitives.ReadInt32BigEndian(answer), "an answer's frame is as long as it says");

        // An ApiVersions from the future is answered in version 0.
        int version = request.Schema.Has(header.Version) ? header.Version : 0;
        KafkaReader reader = new(answer.AsMemory(KafkaFrameReader.LengthPrefixBytes));
        Oracle.Holds(
            KafkaFrameReader.TryReadResponseHeader(ref reader, request.Schema, version, out int correlation) && correlation == header.CorrelationId,
            "an answer has its request's number");
        Oracle.Holds(
            AnyMessage.Response(header.Key)!.Read(ref reader, version) is not null && reader.Remaining == 0, "an answer can be read by our own client");
    }
}
