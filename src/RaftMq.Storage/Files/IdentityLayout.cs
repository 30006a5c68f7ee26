using System.Buffers.Binary;
using RaftMq.Raft;

namespace RaftMq.Storage.Files;

internal readonly record struct IdentityContent(int Version, NodeId Node, StoreId Store);

/// <summary>The bytes of the files <c>identity</c> and <c>boot</c>; docs/on-disk.md shows them.</summary>
internal static class IdentityLayout
{
    /// <summary>
    /// The format of all that is in the data folder. 2: the journal says where each log begins, and a mark beside it which files it has; a start
    /// would take a folder of format 1, whole as it is, for one with lost files.
    /// </summary>
    public const int Version = 2;
    public const int SectorBytes = 512;
    public const int FileBytes = 2 * SectorBytes;
    public const int ContentBytes = 48;

    /// <summary>"RMID" and "RMBT", read as little-endian numbers.</summary>
    public const uint IdentityMagic = 0x44494D52;
    public const uint BootMagic = 0x54424D52;

    public static byte[] WriteIdentity(NodeId node, StoreId store)
    {
        byte[] file = new byte[FileBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(32), node.Value);
        return Seal(file, IdentityMagic, store);
    }

    public static byte[] WriteBoot(StoreId store, long boot)
    {
        byte[] file = new byte[FileBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(32), boot);
        return Seal(file, BootMagic, store);
    }

    public static bool TryReadIdentity(ReadOnlySpan<byte> file, out IdentityContent content)
    {
        bool found = TryFind(file, IdentityMagic, out ReadOnlySpan<byte> copy)
            && BinaryPrimitives.ReadInt64LittleEndian(copy[32..]) is >= 0 and <= int.MaxValue;
        content = found
            ? new IdentityContent(
                BinaryPrimitives.ReadInt32LittleEndian(copy[8..]),
                new NodeId((int)BinaryPrimitives.ReadInt64LittleEndian(copy[32..])),
                new StoreId(BinaryPrimitives.ReadUInt128LittleEndian(copy[16..])))
            : default;
        return found;
    }

    public static bool TryReadBoot(ReadOnlySpan<byte> file, StoreId store, out long boot)
    {
        bool found = TryFind(file, BootMagic, out ReadOnlySpan<byte> copy)
            && BinaryPrimitives.ReadUInt128LittleEndian(copy[16..]) == store.Value;
        boot = found ? BinaryPrimitives.ReadInt64LittleEndian(copy[32..]) : 0;
        return found;
    }

    private static byte[] Seal(byte[] file, uint magic, StoreId store)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(file, magic);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt128LittleEndian(file.AsSpan(16), store.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4), Crc32C.Compute(file.AsSpan(8, ContentBytes - 8)));
        file.AsSpan(0, SectorBytes).CopyTo(file.AsSpan(SectorBytes));
        return file;
    }

    /// <summary>
    /// The first whole copy. Its version is looked at too: a sum of only ones holds for 32 one bits with zeros behind them, which is what a CRC
    /// of this kind cannot tell and a wiped place may look like; a version is a small number.
    /// </summary>
    private static bool TryFind(ReadOnlySpan<byte> file, uint magic, out ReadOnlySpan<byte> copy)
    {
        for (int at = 0; at + ContentBytes <= file.Length; at += SectorBytes)
        {
            copy = file.Slice(at, ContentBytes);
            if (BinaryPrimitives.ReadUInt32LittleEndian(copy) == magic
                && BinaryPrimitives.ReadInt32LittleEndian(copy[8..]) >= 0
                && BinaryPrimitives.ReadUInt32LittleEndian(copy[4..]) == Crc32C.Compute(copy[8..]))
            {
                return true;
            }
        }

        copy = default;
        return false;
    }
}
