using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Server.Peers;

namespace RaftMq.Server.Tests.Peers;

[Collection(MemoryMeasured.Name)]
public sealed class PeerHostileTests
{
    public static TheoryData<string> HostileBytes => ["garbage", "version", "length", "lane", "checksum", "zero length", "lying length", "half open"];

    [Theory]
    [MemberData(nameof(HostileBytes))]
    public async Task Hostile_connection_is_closed_and_costs_little(string kind)
    {
        await using var node = new PeerNode(0, change: options => options with { HandshakeTimeout = TimeSpan.FromMilliseconds(200) });
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, node.Port), TestContext.Current.CancellationToken);
        byte[] preamble = new PeerPreamble(new NodeId(7), new NodeId(0), "", 0).ToBytes();
        byte[] frame = new byte[PeerFrameHeader.Bytes + 100];
        PeerFrameHeader.Write(frame, PeerLane.Append, frame.AsSpan(PeerFrameHeader.Bytes));
        switch (kind)
        {
            case "garbage":
                "GET / HTTP/1.1\r\n"u8.CopyTo(preamble);
                break;
            case "version":
                preamble[5] = 99;
                break;
            case "length":
                BinaryPrimitives.WriteUInt32BigEndian(frame, PeerFrame.BytesMax + 1);
                break;
            case "zero length":
                BinaryPrimitives.WriteUInt32BigEndian(frame, 0);
                break;
            case "lane":
                frame[4] = 3;
                break;
            case "checksum":
                frame[^1] ^= 1;
                break;
            case "lying length":
                BinaryPrimitives.WriteUInt32BigEndian(frame, PeerFrame.BytesMax);
                break;
            case "half open":
                preamble = preamble[..7];
                frame = [];
                break;
        }

        long before = GC.GetTotalAllocatedBytes();
        await socket.SendAsync(preamble, TestContext.Current.CancellationToken);
        await socket.SendAsync(frame, TestContext.Current.CancellationToken);
        if (kind == "lying length")
        {
            socket.Shutdown(SocketShutdown.Send);
        }

        byte[] answer = new byte[1000];
        int read;
        try
        {
            do
            {
                read = await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken).AsTask()
                    .WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
            }
            while (read > 0);
        }
        catch (SocketException)
        {
            // Reset: closed as well.
        }

        Assert.Empty(node.Frames);
        Assert.Empty(node.Fatal);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 16 << 20, "a lie must not cost memory");
    }
}
