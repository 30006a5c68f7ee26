using System.Net;
using System.Net.Sockets;

namespace RaftMq.Server.Sockets;

/// <summary>Takes ports before anybody listens on them.</summary>
internal static class BoundSockets
{
    /// <summary>Adds a bound socket for each address; addresses with port 0 share the port that the first one got.</summary>
    /// <exception cref="SocketException">An address can't be bound; those before it are in <paramref name="sockets"/>.</exception>
    public static void Bind(IReadOnlyList<IPEndPoint> addresses, List<Socket> sockets)
    {
        int? firstPort = null;
        foreach (IPEndPoint address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            sockets.Add(socket);
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            socket.Bind(new IPEndPoint(address.Address, address.Port == 0 && firstPort is { } shared ? shared : address.Port));
            firstPort ??= ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
    }
}
