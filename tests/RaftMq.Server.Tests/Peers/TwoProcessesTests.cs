using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Server.Peers;

namespace RaftMq.Server.Tests.Peers;

/// <summary>Two processes that run as one node: a node id used twice, or a data folder that was copied.</summary>
public sealed class TwoProcessesTests
{
    private const int LogRefused = 1205;
    private const int LogOtherProcess = 1222;
    private const int LogShort = 1204;

    private static readonly NodeId Twice = new(1);

    [Fact]
    public async Task First_process_stays_undisturbed_and_the_second_is_told_who_is_there()
    {
        await using var member = new PeerNode(0, change: options => options with { AliveWithin = TimeSpan.FromSeconds(20) });
        await using var first = new PeerNode(1, boot: 7);
        await using var second = new PeerNode(1, boot: 8);
        await first.ConnectedToAsync(member);
        await using var beats = new HeartBeats(first, member);
        await beats.HeardAsync();

        second.Knows(member);
        await Eventually.HoldsAsync(() => second.Log.Of(LogRefused).Length > 0, () => "no line says that it was refused");

        Assert.False(second.Transport.IsConnected(member.Id));
        Assert.Empty(first.Resets);
        string reason = second.Transport.RefusedByPeer!;
        Assert.StartsWith("Another process runs as node 1: node 0 at 127.0.0.1:", reason);
        Assert.Contains("boot number 7; this process has boot number 8", reason);
        Assert.Contains("Stop one of the two", reason);
        Assert.StartsWith("Two processes run as node 1: the one at 127.0.0.1:", Assert.Single(member.Log.Of(LogOtherProcess)));
        Assert.Equal(LogLevel.Error, second.Log.Lines.Single(line => line.Event == LogRefused).Level);
    }

    /// <summary>Red without the rule: hundreds of connections in this time, each displacing the other process.</summary>
    [Fact]
    public async Task Refused_process_backs_off_and_says_so_once()
    {
        await using var member = new PeerNode(0, change: options => options with { AliveWithin = TimeSpan.FromSeconds(20) });
        await using var first = new PeerNode(1);
        await using var second = new PeerNode(1);
        await first.ConnectedToAsync(member);
        await using var beats = new HeartBeats(first, member);
        await beats.HeardAsync();

        second.Knows(member);
        await beats.HeardAsync(more: 80);

        // 10 ms, doubling: eight or so dials in what is about a second.
        Assert.InRange(member.Metrics.BadFrames.Value, 1, 20);
        Assert.Single(second.Log.Of(LogRefused));
        Assert.Single(member.Log.Of(LogOtherProcess));
        Assert.Empty(first.Resets);
        Assert.True(first.Transport.IsConnected(member.Id));
    }

    [Fact]
    public async Task Next_process_of_the_node_is_taken_when_the_first_one_has_fallen_silent()
    {
        await using var member = new PeerNode(0, change: options => options with { AliveWithin = TimeSpan.FromMilliseconds(200) });
        await using var first = new PeerNode(1);
        await using var second = new PeerNode(1);
        await first.ConnectedToAsync(member);
        first.Send(member, PeerLane.Control, "x"u8);
        await Eventually.HoldsAsync(() => member.Frames.Count == 1, () => "no frame");

        await second.ConnectedToAsync(member);
        await Eventually.HoldsAsync(() => !first.Resets.IsEmpty, () => "the silent connection stays");

        Assert.Null(second.Transport.RefusedByPeer);
    }

    [Fact]
    public async Task Node_that_breaks_each_connection_is_dialled_with_growing_pauses_and_logged_once()
    {
        await using var node = new PeerNode(0);
        using var listening = new TcpListener(IPAddress.Loopback, 0);
        listening.Start();
        node.Transport.Learn(Twice, "127.0.0.1", ((IPEndPoint)listening.LocalEndpoint).Port, PeerAddressSource.Configured);
        int dials = 0;
        long until = Environment.TickCount64 + 1000;
        while (Environment.TickCount64 < until)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(Math.Max(1, until - Environment.TickCount64)));
            try
            {
                using Socket socket = await listening.AcceptSocketAsync(limit.Token);
                byte[] bytes = new byte[PeerPreamble.Bytes];
                await new NetworkStream(socket).ReadExactlyAsync(bytes, TestContext.Current.CancellationToken);
                await socket.SendAsync(new PeerPreamble(Twice, node.Id, "", 0).ToBytes(), TestContext.Current.CancellationToken);
                dials++;
            }
            catch (OperationCanceledException)
            {
                // The second is over.
            }
        }

        Assert.InRange(dials, 3, 20);
        Assert.StartsWith("n1 at 127.0.0.1:", Assert.Single(node.Log.Of(LogShort)));
        Assert.InRange(node.Log.Lines.Count, 1, 8);
    }

    /// <summary>What a node says to the others every now and then.</summary>
    private sealed class HeartBeats : IAsyncDisposable
    {
        private readonly PeerNode _to;
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _loop;

        public HeartBeats(PeerNode from, PeerNode to)
        {
            _to = to;
            _loop = RunAsync(from, to);
        }

        public Task HeardAsync(int more = 1)
        {
            int wanted = _to.Frames.Count + more;
            return Eventually.HoldsAsync(() => _to.Frames.Count >= wanted, () => $"{_to.Frames.Count} of {wanted} frames");
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _loop;
            _stop.Dispose();
        }

        private async Task RunAsync(PeerNode from, PeerNode to)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
            try
            {
                while (await timer.WaitForNextTickAsync(_stop.Token))
                {
                    from.Send(to, PeerLane.Control, "alive"u8);
                }
            }
            catch (OperationCanceledException)
            {
                // Done.
            }
        }
    }
}
