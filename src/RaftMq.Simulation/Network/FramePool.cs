using System.Numerics;
using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Simulation.Network;

/// <summary>
/// Buffers of frames. Strict on purpose: a buffer that was given up is overwritten at once, so that a late reader sees rubbish, and
/// giving up a frame that one does not hold is a broken invariant.
/// </summary>
internal sealed class FramePool
{
    private const byte Poison = 0xDB;
    private const int SmallestBytes = 512;

    private readonly Stack<byte[]>[] _free = [.. Enumerable.Range(0, 20).Select(_ => new Stack<byte[]>())];
    private readonly HashSet<PeerFrame> _held = new(ReferenceEqualityComparer.Instance);

    public PeerFrame Rent(int bytes)
    {
        Invariant.Holds(bytes >= 0);
        Invariant.Holds(bytes <= PeerFrame.BytesMax);
        int sizeClass = SizeClass(bytes);
        byte[] buffer = _free[sizeClass].TryPop(out byte[]? free) ? free : new byte[SmallestBytes << sizeClass];
        PeerFrame frame = new(buffer);
        _held.Add(frame);
        return frame;
    }

    public void Return(PeerFrame frame)
    {
        bool isHeld = _held.Remove(frame);
        Invariant.Holds(isHeld);
        frame.Buffer.AsSpan(0, frame.Length).Fill(Poison);
        _free[SizeClass(frame.Buffer.Length)].Push(frame.Buffer);
    }

    /// <summary>A frame of the same bytes for the receiver; the sender's is given up.</summary>
    public PeerFrame Carry(PeerFrame sent)
    {
        PeerFrame copy = Copy(sent);
        Return(sent);
        return copy;
    }

    public PeerFrame Copy(PeerFrame frame)
    {
        PeerFrame copy = Rent(frame.Length);
        frame.Written.Span.CopyTo(copy.Buffer);
        copy.Length = frame.Length;
        return copy;
    }

    private static int SizeClass(int bytes) =>
        bytes <= SmallestBytes ? 0 : BitOperations.Log2((uint)(bytes - 1) / SmallestBytes) + 1;
}
