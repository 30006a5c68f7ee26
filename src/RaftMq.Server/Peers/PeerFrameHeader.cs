using System.Buffers.Binary;
using RaftMq.Broker.Environment;
using RaftMq.Storage;

namespace RaftMq.Server.Peers;

/// <summary>
/// Stands before each frame. Layout, big-endian: u32 length of the frame, u8 lane, three zero bytes, u32 CRC-32C over the first
/// eight bytes and the frame's covered part. Covered is the whole frame in the control lane and the first 4 KiB in the others: what
/// follows there is entries and chunks, which carry their own checks, and a second pass over every byte would cost what a record may.
/// </summary>
internal readonly record struct PeerFrameHeader(int Length, PeerLane Lane, uint Checksum)
{
    public const int Bytes = 12;
    private const int CoveredBytesMax = 4096;

    public static void Write(Span<byte> target, PeerLane lane, ReadOnlySpan<byte> frame)
    {
        BinaryPrimitives.WriteInt32BigEndian(target, frame.Length);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], (uint)lane << 24);
        BinaryPrimitives.WriteUInt32BigEndian(target[8..], ChecksumOf(target[..8], lane, frame));
    }

    /// <summary>Returns false when the bytes can't be a header: the connection is out of step and must be closed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out PeerFrameHeader header)
    {
        uint length = BinaryPrimitives.ReadUInt32BigEndian(source);
        uint lane = BinaryPrimitives.ReadUInt32BigEndian(source[4..]);
        bool possible = length is > 0 and <= PeerFrame.BytesMax && (lane & 0x00FF_FFFF) == 0 && lane >> 24 <= (uint)PeerLane.Bulk;
        header = possible
            ? new PeerFrameHeader((int)length, (PeerLane)(lane >> 24), BinaryPrimitives.ReadUInt32BigEndian(source[8..]))
            : default;
        return possible;
    }

    public bool Matches(ReadOnlySpan<byte> frame)
    {
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(head, Length);
        BinaryPrimitives.WriteUInt32BigEndian(head[4..], (uint)Lane << 24);
        return frame.Length == Length && ChecksumOf(head, Lane, frame) == Checksum;
    }

    private static uint ChecksumOf(ReadOnlySpan<byte> head, PeerLane lane, ReadOnlySpan<byte> frame)
    {
        int covered = lane == PeerLane.Control ? frame.Length : Math.Min(frame.Length, CoveredBytesMax);
        return ~Crc32C.Append(Crc32C.Append(~0u, head), frame[..covered]);
    }
}
