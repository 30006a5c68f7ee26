using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Bench;

/// <summary>
/// A connection on blocking calls: the thread that waits for an answer is the one that acts on it, so that a measured latency holds one
/// wake-up and no more. One thread sends, one receives.
/// </summary>
internal sealed class BrokerSocket : IDisposable
{
    private const string ClientId = "raftmq-bench";
    private const int AnswerBytesMax = 256 << 20;

    /// <summary>A host that does not answer is given up after one more SYN: three seconds on Linux.</summary>
    private const int SynRetries = 1;

    private const int ProtocolTcp = 6;
    private const int TcpSynCount = 7;


    private readonly Socket socket;
    private readonly KafkaWriter writer = new();
    private readonly List<ReadOnlyMemory<byte>> segments = [];
    private readonly List<ArraySegment<byte>> gather = [];
    private byte[] received = new byte[64 * 1024];
    private int from;
    private int to;

    private BrokerSocket(Socket socket) => this.socket = socket;

    /// <summary>
    /// Connects by a blocking call too: after one asynchronous call the runtime keeps the socket in its event loop for good, and each
    /// receive costs two more wake-ups.
    /// </summary>
    /// <exception cref="SocketException">Refused, or no answer.</exception>
    public static BrokerSocket Connect(KafkaEndpoint endpoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption(ProtocolTcp, TcpSynCount, BitConverter.GetBytes(SynRetries));
            }

            socket.Connect(endpoint.Host, endpoint.Port);
            return new BrokerSocket(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <exception cref="SocketException">The connection failed.</exception>
    public void Send(IKafkaMessage request, int version, int correlationId)
    {
        writer.Clear();
        KafkaFrameWriter.WriteRequest(writer, request, version, correlationId, ClientId);
        segments.Clear();
        writer.AppendSegments(segments);
        gather.Clear();
        foreach (ReadOnlyMemory<byte> segment in segments)
        {
            _ = MemoryMarshal.TryGetArray(segment, out ArraySegment<byte> array);
            gather.Add(array);
        }

        // A blocking socket takes the whole list.
        socket.Send(gather);
    }

    /// <summary>The next answer, from its correlation id on; valid until the next call.</summary>
    /// <exception cref="SocketException">The connection failed or was closed.</exception>
    public ReadOnlyMemory<byte> Receive()
    {
        Fill(KafkaFrameReader.LengthPrefixBytes);
        int bytes = BinaryPrimitives.ReadInt32BigEndian(received.AsSpan(from));
        if (bytes is < 4 or > AnswerBytesMax)
        {
            throw new SocketException((int)SocketError.MessageSize);
        }

        from += KafkaFrameReader.LengthPrefixBytes;
        Fill(bytes);
        var frame = new ReadOnlyMemory<byte>(received, from, bytes);
        from += bytes;
        return frame;
    }

    /// <summary>Ends both ends' waits.</summary>
    public void Close() => socket.Dispose();

    public void Dispose()
    {
        socket.Dispose();
        writer.Dispose();
    }

    private void Fill(int bytes)
    {
        if (to - from >= bytes)
        {
            return;
        }

        if (received.Length - from < bytes)
        {
            byte[] target = received.Length < bytes ? new byte[Math.Max(bytes, received.Length * 2)] : received;
            received.AsSpan(from, to - from).CopyTo(target);
            received = target;
            to -= from;
            from = 0;
        }

        while (to - from < bytes)
        {
            int read;
            try
            {
                read = socket.Receive(received, to, received.Length - to, SocketFlags.None);
            }
            catch (ObjectDisposedException)
            {
                read = 0;
            }

            if (read == 0)
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            to += read;
        }
    }
}
