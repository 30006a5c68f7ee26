using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using RaftMq.Raft;

namespace RaftMq.Server.Tests.Peers;

/// <summary>Addresses without numbers: who is there is found out.</summary>
public sealed class SeedSearchTests
{
    private readonly ConcurrentQueue<NodeId> _found = new();

    [Fact]
    public async Task Node_at_a_seed_s_address_is_found_and_dialled_and_dials_back()
    {
        await using var seed = new PeerNode(1);
        await using var joins = new PeerNode(4);

        joins.Transport.Find([At(seed.Port)], _found.Enqueue);

        await Eventually.HoldsAsync(() => joins.Transport.IsConnected(seed.Id), () => "not connected");
        await Eventually.HoldsAsync(() => seed.Transport.IsConnected(joins.Id), () => "the seed does not know it");
        Assert.Equal([seed.Id], _found);
        Assert.Equal(0, seed.Metrics.BadFrames.Value);
    }

    [Fact]
    public async Task Own_address_among_the_seeds_is_no_node()
    {
        await using var seed = new PeerNode(1);
        await using var joins = new PeerNode(4);

        joins.Transport.Find([At(joins.Port), At(seed.Port)], _found.Enqueue);

        await Eventually.HoldsAsync(() => joins.Transport.IsConnected(seed.Id), () => "not connected");
        Assert.Equal([seed.Id], _found);
        Assert.False(joins.Transport.IsConnected(joins.Id));
    }

    [Fact]
    public async Task Another_process_with_this_node_s_number_is_told_of_and_asked_again()
    {
        await using var same = new PeerNode(4);
        await using var joins = new PeerNode(4);

        joins.Transport.Find([At(same.Port)], _found.Enqueue);

        await Eventually.HoldsAsync(
            () => joins.Log.Lines.Any(line => line.Text.Contains("another process runs there as node 4", StringComparison.Ordinal)), () => "not told");
        Assert.Empty(_found);
    }

    [Fact]
    public async Task Seed_that_is_not_up_yet_is_tried_until_it_is()
    {
        using var placeholder = new Socket(SocketType.Stream, ProtocolType.Tcp);
        placeholder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)placeholder.LocalEndPoint!).Port;
        await using var joins = new PeerNode(4);
        joins.Transport.Find([At(port)], _found.Enqueue);
        await Eventually.HoldsAsync(
            () => joins.Log.Lines.Any(line => line.Text.Contains("No node answers at the seed", StringComparison.Ordinal)), () => "not told");
        placeholder.Dispose();

        await using var seed = new PeerNode(1, change: options => options with { Listen = [new IPEndPoint(IPAddress.Loopback, port)] });

        await Eventually.HoldsAsync(() => joins.Transport.IsConnected(seed.Id), () => "not connected");
    }

    private static DnsEndPoint At(int port) => new("127.0.0.1", port);
}
