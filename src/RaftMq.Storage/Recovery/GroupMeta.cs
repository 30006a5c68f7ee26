using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// The small file that makes a folder a group's: durable before the group is used. Little-endian.
/// <code>
///   0  u32  "RMQG"
///   4  u16  version (1)
///   6  u16  zero
///   8  u128 group incarnation
///  24  u32  bytes of the name
///  28  u32  bytes of the membership
///  32  name (UTF-8), membership in force before the first entry
///  ..  u32  CRC-32C of everything before
/// </code>
/// </summary>
internal sealed record GroupMeta(GroupId Group, string Name, Membership Membership)
{
    public const uint Magic = 0x47514D52;
    public const ushort Version = 1;
    public const int HeaderBytes = 32;
    public const int TrailerBytes = 4;
    public const string FileName = "group.meta";

    /// <summary>Present: the group was deleted and its folder is on its way out.</summary>
    public const string DeletedMark = "group.deleted";

    public const string GroupsFolder = "groups";

    private const int BytesMax = 64 << 10;

    /// <summary>A file name holds 255 bytes; incarnation and dash take 33. The whole name is in the file.</summary>
    private const int NameCharsInFolderMax = 200;

    public string Folder => FolderOf(Group, Name);

    public static string FolderOf(GroupId group, string name) =>
        $"{GroupsFolder}/{(name.Length > NameCharsInFolderMax ? name[..NameCharsInFolderMax] : name)}-{group}";

    /// <summary>The incarnation in a folder's name.</summary>
    public static GroupId? GroupOf(string folderName)
    {
        int dash = folderName.LastIndexOf('-');
        return folderName.Length - dash - 1 == 32
            && UInt128.TryParse(
                folderName.AsSpan(dash + 1), System.Globalization.NumberStyles.AllowHexSpecifier, provider: null, out UInt128 value)
            ? new GroupId(value)
            : null;
    }

    public byte[] Encode()
    {
        byte[] name = Encoding.UTF8.GetBytes(Name);
        byte[] membership = MembershipCodec.ToBytes(Membership);
        byte[] bytes = new byte[HeaderBytes + name.Length + membership.Length + TrailerBytes];
        Invariant.Holds(bytes.Length <= BytesMax);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(8), Group.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), (uint)name.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), (uint)membership.Length);
        name.CopyTo(bytes.AsSpan(HeaderBytes));
        membership.CopyTo(bytes.AsSpan(HeaderBytes + name.Length));
        int end = bytes.Length - TrailerBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(end), Crc32C.Compute(bytes.AsSpan(0, end)));
        return bytes;
    }

    public static GroupMeta? TryDecode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is < HeaderBytes + TrailerBytes or > BytesMax
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[^TrailerBytes..]) != Crc32C.Compute(bytes[..^TrailerBytes])
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) != Version)
        {
            return null;
        }

        uint nameBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]);
        uint membershipBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]);
        if (nameBytes > BytesMax
            || membershipBytes > BytesMax
            || HeaderBytes + nameBytes + membershipBytes + TrailerBytes != bytes.Length
            || !Utf8.IsValid(bytes.Slice(HeaderBytes, (int)nameBytes))
            || !MembershipCodec.TryRead(bytes.Slice(HeaderBytes + (int)nameBytes, (int)membershipBytes), out Membership membership))
        {
            return null;
        }

        return new GroupMeta(
            new GroupId(BinaryPrimitives.ReadUInt128LittleEndian(bytes[8..])),
            Encoding.UTF8.GetString(bytes.Slice(HeaderBytes, (int)nameBytes)),
            membership);
    }

    public static GroupMeta? TryRead(IDisk disk, string folder)
    {
        using IDiskFile file = disk.Open($"{folder}/{FileName}", DiskFileMode.Existing);
        if (file.Length > BytesMax)
        {
            return null;
        }

        byte[] bytes = new byte[file.Length];
        return file.Read(0, bytes) == bytes.Length ? TryDecode(bytes) : null;
    }

    /// <summary>Makes folder and file durable. What an earlier attempt left is replaced.</summary>
    public void Write(IDisk disk)
    {
        string path = $"{Folder}/{FileName}";
        string temporary = path + CheckpointFile.TemporarySuffix;
        disk.CreateFolder(Folder);
        if (disk.FileExists(temporary))
        {
            disk.DeleteFile(temporary);
        }

        using (IDiskFile file = disk.Open(temporary, DiskFileMode.CreateNew))
        {
            file.Write(0, Encode());
            file.Sync();
        }

        disk.Rename(temporary, path);
        disk.SyncFolder(Folder);
        disk.SyncFolder(GroupsFolder);
        disk.SyncFolder("");
    }
}
