using System.Buffers;
using RaftMq.Broker.Environment;

namespace RaftMq.Server.Peers;

/// <summary>
/// Buffers of frames. Common sizes come from the process's shared pool, which is bounded per core and size; the rare large ones (one
/// entry above the frame target) are left to the collector, so that one of them does not stay in memory for good.
/// </summary>
internal static class PeerFramePool
{
    private const int PooledBytesMax = 4 << 20;

    public static PeerFrame Rent(int bytes) =>
        new(bytes <= PooledBytesMax ? ArrayPool<byte>.Shared.Rent(bytes) : GC.AllocateUninitializedArray<byte>(bytes));

    public static void Return(PeerFrame frame)
    {
        if (frame.Buffer.Length <= PooledBytesMax)
        {
            ArrayPool<byte>.Shared.Return(frame.Buffer);
        }
    }
}
