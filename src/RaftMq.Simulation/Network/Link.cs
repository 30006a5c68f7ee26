using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Network;

/// <summary>
/// One direction between two nodes, as the connection that the product keeps for it: order within a lane while the connection lasts;
/// when it breaks, all that is on the way is lost and what comes later travels on the next connection.
/// </summary>
internal sealed class Link(SimulationWorld world, SimulatedNetwork network, RandomSource random, NodeId from, NodeId to)
{
    /// <summary>As the product's limit for the queue between a pair of nodes (<c>PeerQueueBytesMax</c>).</summary>
    private const long QueuedBytesMax = 64 << 20;

    /// <summary>Nobody has so much to say at one instant: the node talks in a circle.</summary>
    private const int FramesPerInstantMax = 10_000;

    private readonly long[] _lastArrivalUs = new long[3];
    private readonly Queue<(PeerLane Lane, PeerFrame Frame)> _stalled = [];
    private long _instantUs;
    private int _framesThisInstant;
    private long _usableFromUs;
    private long _sendingUntilUs;

    public NodeId From => from;

    public NodeId To => to;

    /// <summary>Grows with each break.</summary>
    public long Connection { get; private set; }

    public LinkConditions Conditions { get; } = new(world.Surroundings.LatencyUs);

    public long QueuedBytes { get; private set; }

    public void Send(PeerLane lane, PeerFrame frame)
    {
        CheckLivelock();
        world.Trace.Add(world.NowUs, TraceKind.FrameSent, (from.Value << 8) | to.Value, (long)lane, frame.Written.Span);
        if (Conditions.State == LinkState.Dropped || QueuedBytes + frame.Length > QueuedBytesMax)
        {
            network.Frames.Return(frame);
            return;
        }

        QueuedBytes += frame.Length;
        if (Conditions.State == LinkState.Stalled)
        {
            _stalled.Enqueue((lane, frame));
            return;
        }

        bool isNasty = Conditions.NastyOneIn > 0 && random.OneIn(Conditions.NastyOneIn);
        switch (isNasty ? random.Next(3) : -1)
        {
            case 0:
                GiveUp(frame);
                return;
            case 1:
                PeerFrame again = network.Frames.Copy(frame);
                QueuedBytes += again.Length;
                Carry(lane, again, keepsOrder: false);
                break;
            case 2:
                Carry(lane, frame, keepsOrder: false);
                return;
        }

        Carry(lane, frame, keepsOrder: true);
    }

    /// <summary>The connection is gone, with all that was on it.</summary>
    public void Break()
    {
        Connection++;
        QueuedBytes = 0;
        _sendingUntilUs = 0;
        _usableFromUs = world.NowUs + random.Next(1_000, 60_000);
        while (_stalled.TryDequeue(out (PeerLane Lane, PeerFrame Frame) held))
        {
            network.Frames.Return(held.Frame);
        }
    }

    /// <summary>After a stall: what was held back goes on.</summary>
    public void Resume()
    {
        while (_stalled.TryDequeue(out (PeerLane Lane, PeerFrame Frame) held))
        {
            Carry(held.Lane, held.Frame, keepsOrder: true);
        }
    }

    private void Carry(PeerLane lane, PeerFrame frame, bool keepsOrder)
    {
        // A frame of the control lane overtakes what is being sent in the others.
        long startUs = Math.Max(world.NowUs, _usableFromUs);
        if (lane != PeerLane.Control)
        {
            startUs = Math.Max(startUs, _sendingUntilUs);
            _sendingUntilUs = startUs + (frame.Length / Conditions.BytesPerUs);
        }

        long arrivalUs = startUs + (frame.Length / Conditions.BytesPerUs) + Conditions.LatencyUs + random.Next(Conditions.JitterUs + 1);
        if (keepsOrder)
        {
            arrivalUs = Math.Max(arrivalUs, _lastArrivalUs[(int)lane]);
            _lastArrivalUs[(int)lane] = arrivalUs;
        }
        else
        {
            arrivalUs += random.Next(1, 2_000_000);
        }

        long connection = Connection;
        world.After(arrivalUs - world.NowUs, () => Arrive(frame, connection));
    }

    private void Arrive(PeerFrame frame, long connection)
    {
        if (connection != Connection)
        {
            network.Frames.Return(frame);
            return;
        }

        QueuedBytes -= frame.Length;
        switch (Conditions.State)
        {
            case LinkState.Dropped:
                network.Frames.Return(frame);
                break;
            case LinkState.Stalled:
                QueuedBytes += frame.Length;
                _stalled.Enqueue((PeerLane.Append, frame));
                break;
            default:
                network.Deliver(from, to, frame);
                break;
        }
    }

    private void CheckLivelock()
    {
        if (_instantUs != world.NowUs)
        {
            _instantUs = world.NowUs;
            _framesThisInstant = 0;
        }

        _framesThisInstant++;
        Invariant.Holds(_framesThisInstant <= FramesPerInstantMax);
    }

    private void GiveUp(PeerFrame frame)
    {
        QueuedBytes -= frame.Length;
        network.Frames.Return(frame);
    }
}
