using System.Net.Sockets;

namespace RaftMq.Server.Peers;

/// <summary>The settings that every connection between nodes has.</summary>
internal static class PeerSockets
{
    private const int TcpLevel = 6; // IPPROTO_TCP
    private const int TcpUserTimeout = 18; // TCP_USER_TIMEOUT

    public static void Configure(Socket socket)
    {
        socket.NoDelay = true;

        // A host that falls silent: idle connections are found by keep-alive, busy ones by bytes that nobody acknowledges.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 5);
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption(TcpLevel, TcpUserTimeout, BitConverter.GetBytes(10_000));
        }
    }
}
