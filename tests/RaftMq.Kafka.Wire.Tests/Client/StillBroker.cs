using System.Net;
using System.Net.Sockets;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Kafka.Wire.Tests.Client;

/// <summary>A broker that stands still after it told its versions: it takes connections, and answers nothing.</summary>
internal sealed class StillBroker : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly bool reads;
    private readonly Task accepting;

    /// <param name="reads">Whether it takes the bytes of the requests.</param>
    public StillBroker(bool reads)
    {
        this.reads = reads;

        // A small window, so that the sender's system takes little more than its own buffer.
        listener.Server.ReceiveBufferSize = 4096;
        listener.Start();
        accepting = AcceptAsync();
    }

    public KafkaEndpoint Endpoint => new("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);

    /// <summary>How many began to come that ask for more than the versions.</summary>
    public int Requests { get; private set; }

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
                serving.Add(ServeAsync(await listener.AcceptSocketAsync(stopping.Token)));
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
            byte[] prefix = new byte[KafkaFrameReader.LengthPrefixBytes];
            await stream.ReadExactlyAsync(prefix, stopping.Token);
            Assert.NotEqual(FrameVerdict.NotAFrame, KafkaFrameReader.Measure(prefix, 1 << 20, out int bytes));
            byte[] frame = new byte[bytes];
            await stream.ReadExactlyAsync(frame, stopping.Token);
            KafkaReader reader = new(frame);
            Assert.True(KafkaFrameReader.TryReadRequestHeader(ref reader, out RequestHeader header));
            await stream.WriteAsync(ScriptedBroker.ServesAll(header), stopping.Token);
            await stream.ReadExactlyAsync(prefix, stopping.Token);
            Requests++;
            if (reads)
            {
                await stream.CopyToAsync(Stream.Null, stopping.Token);
            }
            else
            {
                await Task.Delay(Timeout.Infinite, stopping.Token);
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException)
        {
        }
    }
}
