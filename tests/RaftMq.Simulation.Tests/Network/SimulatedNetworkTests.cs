using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.Tests.World;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Tests.Network;

public sealed class SimulatedNetworkTests
{
    private static readonly NodeId N0 = new(0);
    private static readonly NodeId N1 = new(1);

    private readonly SmallWorld _small = new();

    [Fact]
    public void Frames_of_a_lane_arrive_in_order()
    {
        for (byte i = 0; i < 100; i++)
        {
            _small.Send(0, 1, PeerLane.Append, i);
            _small.RunFor(7);
        }

        _small.RunFor(10_000);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (byte)i), Received(1));
    }

    [Fact]
    public void A_heartbeat_overtakes_a_large_append()
    {
        _small.Send(0, 1, PeerLane.Bulk, new byte[1 << 20]);
        _small.Send(0, 1, PeerLane.Control, 9);
        _small.RunFor(1_000);
        Assert.Equal([9], Received(1));
    }

    [Fact]
    public void A_reset_loses_what_is_on_the_way_and_tells_both()
    {
        _small.Send(0, 1, PeerLane.Append, 1);
        _small.Network.Reset(N0, N1);
        _small.Send(0, 1, PeerLane.Append, 2);
        _small.RunFor(1_000_000);
        Assert.Equal([2], Received(1));
        Assert.Equal([(N1, false)], _small.Broker(0).Resets);
        Assert.Equal([(N0, false)], _small.Broker(1).Resets);
    }

    [Fact]
    public void A_crashed_process_is_refused_and_a_machine_without_power_is_silent()
    {
        _small.Nodes[1].Crash(CrashKind.Process);
        _small.Nodes[2].Crash(CrashKind.Power);
        _small.RunFor(1_000_000);
        Assert.Equal([(N1, true)], _small.Broker(0).Resets);
    }

    [Fact]
    public void A_stalled_link_delivers_late_and_in_order_and_a_dropped_one_never()
    {
        Link stalled = _small.Network.LinkBetween(N0, N1);
        Link dropped = _small.Network.LinkBetween(N0, new NodeId(2));
        stalled.Conditions.State = LinkState.Stalled;
        dropped.Conditions.State = LinkState.Dropped;
        _small.Send(0, 1, PeerLane.Append, 1);
        _small.Send(0, 2, PeerLane.Append, 1);
        _small.Send(0, 1, PeerLane.Append, 2);
        _small.RunFor(1_000_000);
        Assert.Empty(Received(1));
        Assert.Equal(2, stalled.QueuedBytes);

        _small.Network.Heal();
        _small.RunFor(1_000_000);
        Assert.Equal([1, 2], Received(1));
        Assert.Empty(Received(2));
        Assert.Equal(0, stalled.QueuedBytes);
    }

    [Fact]
    public void A_cut_of_one_way_leaves_the_other()
    {
        _small.Network.LinkBetween(N0, N1).Conditions.State = LinkState.Dropped;
        _small.Send(0, 1, PeerLane.Append, 1);
        _small.Send(1, 0, PeerLane.Append, 2);
        _small.RunFor(10_000);
        Assert.Empty(Received(1));
        Assert.Equal([2], Received(0));
    }

    [Fact]
    public void A_nasty_link_loses_repeats_and_reorders()
    {
        _small.Network.LinkBetween(N0, N1).Conditions.NastyOneIn = 3;
        for (byte i = 0; i < 200; i++)
        {
            _small.Send(0, 1, PeerLane.Append, i);
        }

        _small.RunFor(5_000_000);
        List<byte> received = Received(1);
        Assert.NotEqual(received.Order(), received);
        Assert.True(received.Count > received.Distinct().Count());
        Assert.True(received.Distinct().Count() < 200);
        Assert.Equal(0, _small.Network.LinkBetween(N0, N1).QueuedBytes);
    }

    [Fact]
    public void A_frame_that_was_sent_is_overwritten_at_once()
    {
        IPeerTransport peers = _small.Broker(0).Environment.Peers;
        PeerFrame frame = peers.Rent(1);
        frame.Buffer[0] = 1;
        frame.Length = 1;
        peers.Send(N1, PeerLane.Append, frame);
        Assert.NotEqual(1, frame.Buffer[0]);
        _small.RunFor(10_000);
        Assert.Equal([1], Received(1));
    }

    [Fact]
    public void A_frame_can_be_given_back_once_only()
    {
        FramePool pool = new();
        PeerFrame frame = pool.Rent(10);
        pool.Return(frame);
        Assert.Throws<InvariantViolationException>(() => pool.Return(frame));
    }

    [Fact]
    public void Frames_of_every_size_are_large_enough()
    {
        FramePool pool = new();
        foreach (int bytes in new[] { 0, 1, 511, 512, 513, 1024, 1025, 1 << 20, (1 << 20) + 1 })
        {
            PeerFrame frame = pool.Rent(bytes);
            Assert.True(frame.Buffer.Length >= bytes);
            pool.Return(frame);
        }
    }

    private List<byte> Received(int node) => [.. _small.Broker(node).Frames.Select(f => f.Bytes[0])];
}
