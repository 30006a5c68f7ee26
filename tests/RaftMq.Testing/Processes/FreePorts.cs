using System.Net;
using System.Net.Sockets;

namespace RaftMq.Testing.Processes;

/// <summary>
/// Ports for nodes, which must know each other's before any of them starts. They are taken below the range from which the kernel gives
/// outgoing connections theirs (32768 and above), so that none of those can sit on one before the node binds it.
/// </summary>
public static class FreePorts
{
    private const int From = 12_000;
    private const int To = 32_000;

    // Ports given to nodes that may be stopped at the moment are not given again.
    private static readonly HashSet<int> s_given = [];

    public static int Next()
    {
        lock (s_given)
        {
            for (int tries = 0; tries < 1000; tries++)
            {
                int port = Random.Shared.Next(From, To);
                if (!s_given.Contains(port) && IsFree(port))
                {
                    s_given.Add(port);
                    return port;
                }
            }
        }

        throw new InvalidOperationException($"1000 ports between {From} and {To} were tried and none is free.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using Socket probe = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            probe.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
