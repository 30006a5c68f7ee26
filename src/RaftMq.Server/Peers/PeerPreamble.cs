using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

/// <summary>
/// The first bytes on a connection, both ways: the dialling node's, then the answer. Layout, big-endian: magic "RMQP", u16 version,
/// u16 verdict (0 from the dialling side), i32 sender, i32 receiver as the sender believes, u16 port and 64 bytes of host name (UTF-8, filled
/// with zeros) where the sender can be dialled, i64 boot number of the sender's start, u64 chosen anew by each process. A wrong address in a
/// configuration is found here, not in Raft; a node that joins is known by its own words; and so are two processes that pass for one node.
/// With the verdict <see cref="PeerVerdict.OtherProcess"/> address and boot number are those of the process that stays.
/// </summary>
internal sealed record PeerPreamble(
    NodeId From, NodeId To, string Host, int Port, BootNumber Boot = default, ulong Process = 0, PeerVerdict Verdict = PeerVerdict.Taken)
{
    public const int Bytes = 98;
    public const ushort Version = 2;
    public const int HostBytesMax = 64;

    /// <summary>As the receiver: who asks does not know yet who is there. It is answered, and the connection ends.</summary>
    public static readonly NodeId Anyone = new(int.MaxValue);

    private const uint Magic = 0x524D5150;

    public byte[] ToBytes()
    {
        byte[] target = new byte[Bytes];
        BinaryPrimitives.WriteUInt32BigEndian(target, Magic);
        BinaryPrimitives.WriteUInt16BigEndian(target.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt16BigEndian(target.AsSpan(6), (ushort)Verdict);
        BinaryPrimitives.WriteInt32BigEndian(target.AsSpan(8), From.Value);
        BinaryPrimitives.WriteInt32BigEndian(target.AsSpan(12), To.Value);
        BinaryPrimitives.WriteUInt16BigEndian(target.AsSpan(16), checked((ushort)Port));
        Encoding.UTF8.GetBytes(Host, target.AsSpan(18, HostBytesMax));
        BinaryPrimitives.WriteInt64BigEndian(target.AsSpan(82), Boot.Value);
        BinaryPrimitives.WriteUInt64BigEndian(target.AsSpan(90), Process);
        return target;
    }

    /// <summary>Null with what is wrong, for the log.</summary>
    public static PeerPreamble? Read(ReadOnlySpan<byte> source, out string? fault)
    {
        Invariant.Holds(source.Length == Bytes);
        var from = new NodeId(BinaryPrimitives.ReadInt32BigEndian(source[8..]));
        var to = new NodeId(BinaryPrimitives.ReadInt32BigEndian(source[12..]));
        ushort verdict = BinaryPrimitives.ReadUInt16BigEndian(source[6..]);
        fault = null;
        if (BinaryPrimitives.ReadUInt32BigEndian(source) != Magic)
        {
            fault = "not a RaftMq node (wrong magic)";
        }
        else if (BinaryPrimitives.ReadUInt16BigEndian(source[4..]) is ushort version && version != Version)
        {
            fault = $"peer protocol version {version}, this node speaks {Version}";
        }
        else if (verdict > (ushort)PeerVerdict.OtherProcess)
        {
            fault = $"verdict {verdict} is not known";
        }
        else if (from.Value < 0 || to.Value < 0)
        {
            fault = "negative node id";
        }

        string? host = HostOf(source.Slice(18, HostBytesMax).TrimEnd((byte)0));
        if (fault is null && host is null)
        {
            fault = "a host name that is none";
        }

        return fault is null
            ? new PeerPreamble(
                from, to, host!, BinaryPrimitives.ReadUInt16BigEndian(source[16..]),
                new BootNumber(BinaryPrimitives.ReadInt64BigEndian(source[82..])), BinaryPrimitives.ReadUInt64BigEndian(source[90..]),
                (PeerVerdict)verdict)
            : null;
    }

    /// <summary>Null for what can't be one: it is dialled, printed, and said to others.</summary>
    private static string? HostOf(ReadOnlySpan<byte> bytes)
    {
        string? host = Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : null;
        return host?.Any(character => char.IsControl(character) || character == ' ') == false ? host : null;
    }
}
