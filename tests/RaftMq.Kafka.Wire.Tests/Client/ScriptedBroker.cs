using System.Net;
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
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Func<RequestHeader, ReadOnlyMemory<byte>, byte[]?> answer;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task accepting;

    public ScriptedBroker(Func<RequestHeader, ReadOnlyMemory<byte>, byte[]?> answer)
    {
        this.answer = answer;
        listener.Start();
        accepting = AcceptAsync();
    }

    public KafkaEndpoint Endpoint => new("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);

    public int Connections { get; private set; }

    /// <summary>The largest request taken.</summary>
    public int FrameBytesMax { get; init; } = 1 << 20;

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

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                Socket accepted = await listener.AcceptSocketAsync(stopping.Token);
                Connections++;
                serving.Add(ServeAsync(accepted));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket accepted)
    {
        await using NetworkStream stream = new(accepted, ownsSocket: true);
        try
        {
            byte[] prefix = new byte[4];
            while (true)
            {
                await stream.ReadExactlyAsync(prefix, stopping.Token);
                Assert.NotEqual(FrameVerdict.NotAFrame, KafkaFrameReader.Measure(prefix, FrameBytesMax, out int bytes));
                byte[] frame = new byte[bytes];
                await stream.ReadExactlyAsync(frame, stopping.Token);
                if (Reply(frame) is not { } reply)
                {
                    return;
                }

                await stream.WriteAsync(reply, stopping.Token);
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException)
        {
        }
    }

    private byte[]? Reply(byte[] frame)
    {
        KafkaReader reader = new(frame);
        Assert.True(KafkaFrameReader.TryReadRequestHeader(ref reader, out RequestHeader header));
        return answer(header, frame.AsMemory(reader.Position));
    }
}
