using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace RaftMq.Server.Tests.Listeners;

internal sealed class TestClient(Socket socket, Stream stream) : IDisposable
{
    public Socket Socket { get; } = socket;

    public static async Task<TestClient> ConnectAsync(IPEndPoint address, Func<Stream, Task<Stream>>? wrap = null)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address, TestContext.Current.CancellationToken);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        return new TestClient(socket, wrap is null ? stream : await wrap(stream));
    }

    public static byte[] Frame(short what, int correlation, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[12 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, 8 + payload.Length);
        BinaryPrimitives.WriteInt16BigEndian(frame.AsSpan(4), what);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), correlation);
        payload.CopyTo(frame.AsSpan(12));
        return frame;
    }

    public Task SendAsync(short what, int correlation, byte[]? payload = null) => SendBytesAsync(Frame(what, correlation, payload ?? []));

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => await stream.WriteAsync(bytes, TestContext.Current.CancellationToken);

    public async Task<(int Correlation, byte[] Payload)> ReceiveAsync()
    {
        byte[] head = new byte[8];
        await stream.ReadExactlyAsync(head, TestContext.Current.CancellationToken).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        byte[] payload = new byte[BinaryPrimitives.ReadInt32BigEndian(head) - 4];
        await stream.ReadExactlyAsync(payload, TestContext.Current.CancellationToken);
        return (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)), payload);
    }

    /// <summary>True when the node closed the connection.</summary>
    public async Task<bool> IsClosedAsync()
    {
        try
        {
            return await stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask()
                .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose() => stream.Dispose();
}
