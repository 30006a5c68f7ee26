using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RaftMq.Cli.LocalCluster;

namespace RaftMq.Cli.Tests.LocalCluster;

public sealed class PortOwnerTests
{
    [Fact]
    public void A_taken_port_names_the_process_that_listens()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Assert.False(PortOwner.IsFree(port));
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId})"), PortOwner.Describe(port), StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_was_given_back_is_free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        Assert.True(PortOwner.IsFree(port));
    }

    [Fact]
    public void Only_listening_sockets_of_that_port_are_looked_for()
    {
        string[] table =
        [
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "   0: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0",
            "   1: 0100007F:2384 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0 0 10 0",
            "   2: 0100007F:2385 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0 0 10 0",
        ];
        Assert.Equal(["4711"], PortOwner.InodesIn(table, 9092));
    }
}
