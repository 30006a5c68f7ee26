using System.Net.Sockets;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Kafka.Wire.Tests.Client;

/// <summary>A broker that stands still after it told its versions: it takes connections, and answers nothing.</summary>
internal sealed class StillBroker : IAsyncDisposable
{
    private readonly LoopbackListener listener;
    private readonly bool reads;

    /// <param name="reads">Whether it takes the bytes of the requests.</param>
    public StillBroker(bool reads)
    {
        this.reads = reads;
        listener = new LoopbackListener(ServeAsync);

        // A small window, so that the sender's system takes little more than its own buffer.
        listener.Start(receiveBufferBytes: 4096);
    }

    public KafkaEndpoint Endpoint => listener.Endpoint;

    /// <summary>How many began to come that ask for more than the versions.</summary>
    public int Requests { get; private set; }

    public ValueTask DisposeAsync() => listener.DisposeAsync();

    private async Task ServeAsync(NetworkStream stream, CancellationToken stopping)
    {
        byte[] prefix = new byte[KafkaFrameReader.LengthPrefixBytes];
        await stream.ReadExactlyAsync(prefix, stopping);
        Assert.NotEqual(FrameVerdict.NotAFrame, KafkaFrameReader.Measure(prefix, 1 << 20, out int bytes));
        byte[] frame = new byte[bytes];
        await stream.ReadExactlyAsync(frame, stopping);
        KafkaReader reader = new(frame);
        Assert.True(KafkaFrameReader.TryReadRequestHeader(ref reader, out RequestHeader header));
        await stream.WriteAsync(ScriptedBroker.ServesAll(header), stopping);
        await stream.ReadExactlyAsync(prefix, stopping);
        Requests++;
        if (reads)
        {
            await stream.CopyToAsync(Stream.Null, stopping);
        }
        else
        {
            await Task.Delay(Timeout.Infinite, stopping);
        }
    }
}
