using System.Net;
using System.Net.Sockets;
using RaftMq.Server.Configuration;

namespace RaftMq.Server.Hosting;

/// <summary>From what the operator wrote to addresses to bind.</summary>
internal static class Addresses
{
    /// <summary>
    /// <c>localhost</c> is the loopback of IPv4 and, where the machine has it, of IPv6: clients pick either. Other names are asked for.
    /// </summary>
    /// <exception cref="CannotStartException">The name is not known.</exception>
    public static IReadOnlyList<IPEndPoint> ToBind(HostPort address)
    {
        if (address.Host == "localhost")
        {
            var loopbacks = new List<IPEndPoint> { new(IPAddress.Loopback, address.Port) };
            if (HasLoopbackV6())
            {
                loopbacks.Add(new IPEndPoint(IPAddress.IPv6Loopback, address.Port));
            }

            return loopbacks;
        }

        if (address.Host == "*")
        {
            return [new IPEndPoint(IPAddress.Any, address.Port)];
        }

        if (IPAddress.TryParse(address.Host, out IPAddress? ip))
        {
            return [new IPEndPoint(ip, address.Port)];
        }

        try
        {
            return [.. Dns.GetHostAddresses(address.Host).Select(found => new IPEndPoint(found, address.Port))];
        }
        catch (SocketException exception)
        {
            throw new CannotStartException($"The name {address.Host} is not known: {exception.Message}", exception);
        }
    }

    /// <summary>Configured on the machine, not only supported by the kernel: containers often have the one without the other.</summary>
    private static bool HasLoopbackV6()
    {
        if (!Socket.OSSupportsIPv6)
        {
            return false;
        }

        try
        {
            using var probe = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
