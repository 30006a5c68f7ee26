using System.Buffers.Binary;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

/// <summary>
/// The first bytes on a connection, both ways: the dialling node's, then the answer. Layout, big-endian: magic "RMQP", u16 version,
/// u16 zero, i32 sender, i32 receiver as the sender believes. A wrong address in a configuration is found here, not in Raft.
/// </summary>
internal readonly record struct PeerPreamble(NodeId From, NodeId To)
{
    public const int Bytes = 16;
    public const ushort Version = 1;
    private const uint Magic = 0x524D5150;

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, Magic);
        BinaryPrimitives.WriteUInt16BigEndian(target[4..], Version);
        BinaryPrimitives.WriteUInt16BigEndian(target[6..], 0);
        BinaryPrimitives.WriteInt32BigEndian(target[8..], From.Value);
        BinaryPrimitives.WriteInt32BigEndian(target[12..], To.Value);
    }

    /// <summary>Returns false with what is wrong, for the log.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out PeerPreamble preamble, out string? fault)
    {
        preamble = default;
        fault = null;
        Invariant.Holds(source.Length == Bytes);
        if (BinaryPrimitives.ReadUInt32BigEndian(source) != Magic)
        {
            fault = "not a RaftMq node (wrong magic)";
        }
        else if (BinaryPrimitives.ReadUInt16BigEndian(source[4..]) is ushort version && version != Version)
        {
            fault = $"peer protocol version {version}, this node speaks {Version}";
        }
        else if (BinaryPrimitives.ReadUInt16BigEndian(source[6..]) != 0)
        {
            fault = "reserved bytes are set";
        }
        else
        {
            preamble = new PeerPreamble(
                new NodeId(BinaryPrimitives.ReadInt32BigEndian(source[8..])), new NodeId(BinaryPrimitives.ReadInt32BigEndian(source[12..])));
            if (preamble.From.Value < 0 || preamble.To.Value < 0)
            {
                fault = "negative node id";
            }
        }

        return fault is null;
    }
}
