using System.Buffers.Binary;

namespace RaftMq.Kafka.Nodes;

/// <summary>Topic ids in the two forms: 128 bits in the broker, a UUID on the wire. The same sixteen bytes, most significant first.</summary>
internal static class WireIds
{
    public static Guid ToGuid(UInt128 id)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, id);
        return new Guid(bytes, bigEndian: true);
    }

    public static UInt128 ToTopicId(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
