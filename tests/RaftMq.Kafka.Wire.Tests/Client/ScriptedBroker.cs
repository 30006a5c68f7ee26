using System.Net.Sockets;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Wire.Tests.Client;

/// <summary>
/// A broker on loopback that answers each request with what the test's function says: an answer, or null to close the connection. Answers
/// go through the codec's server end.
/// </summary>
internal sealed class ScriptedBroker : IAsyncDisposable
{
    private readonly LoopbackListener listener;
    private readonly Func<RequestHeader, ReadOnlyMemory<byte>, byte[]?> answer;

    public ScriptedBroker(Func<RequestHeader, ReadOnlyMemory<byte>, byte[]?> answer, int port = 0)
    {
        this.answer = answer;
        listener = new LoopbackListener(ServeAsync, port);
        listener.Start();
    }

    public KafkaEndpoint Endpoint => listener.Endpoint;

    public int Connections => listener.Connections;

    /// <summary>The largest request taken.</summary>
    public int FrameBytesMax { get; init; } = 1 << 20;

    /// <summary>What is no frame ends the connection, as with a real broker; otherwise it fails the test.</summary>
    public bool RefusesOthers { get; init; }

    public static byte[] Frame(IKafkaMessage response, int version, int correlationId)
    {
        using KafkaWriter writer = new();
        KafkaFrameWriter.WriteResponse(writer, response, version, correlationId);
        return writer.ToArray();
    }

    /// <summary>The answer to ApiVersions of a broker that serves the whole table.</summary>
    public static byte[] ServesAll(RequestHeader header) => Frame(
        new ApiVersionsResponse
        {
            ApiKeys =
            [
                .. ServedVersions.All.Select(r => new ApiVersionsResponse.Api
                {
                    ApiKey = r.Key, MinVersion = r.Min, MaxVersion = r.Max,
                }),
            ],
        },
        header.Version,
        header.CorrelationId);

    public ValueTask DisposeAsync() => listener.DisposeAsync();

    private async Task ServeAsync(NetworkStream stream, CancellationToken stopping)
    {
        byte[] prefix = new byte[4];
        while (true)
        {
            await stream.ReadExactlyAsync(prefix, stopping);
            FrameVerdict verdict = KafkaFrameReader.Measure(prefix, FrameBytesMax, out int bytes);
            if (verdict == FrameVerdict.NotAFrame && RefusesOthers)
            {
                return;
            }

            Assert.NotEqual(FrameVerdict.NotAFrame, verdict);
            byte[] frame = new byte[bytes];
            await stream.ReadExactlyAsync(frame, stopping);
            if (Reply(frame) is not { } reply)
            {
                return;
            }

            await stream.WriteAsync(reply, stopping);
        }
    }

    private byte[]? Reply(byte[] frame)
    {
        KafkaReader reader = new(frame);
        Assert.True(KafkaFrameReader.TryReadRequestHeader(ref reader, out RequestHeader header));
        return answer(header, frame.AsMemory(reader.Position));
    }
}
