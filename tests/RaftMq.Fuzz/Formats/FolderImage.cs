using System.Buffers.Binary;
using RaftMq.Fuzz.Disk;

namespace RaftMq.Fuzz.Formats;

/// <summary>
/// Several files in one input. Per file a number that its name is made of and its length, then block by block how many bytes are there, and these:
/// the rest of a block is zeros, as most of a journal is, and nothing is changed in vain. Read from anything, without a refusal.
/// </summary>
internal static class FolderImage
{
    /// <summary>A journal's blocks.</summary>
    private const int BlockBytes = 4096;
    private const int HeadBytes = 8;
    private const int FilesMax = 24;
    private const int FileBytesMax = 64 << 10;

    public static byte[] Pack(IEnumerable<(int Number, byte[] Bytes)> files)
    {
        List<byte> packed = [];
        foreach ((int number, byte[] bytes) in files)
        {
            packed.AddRange(BitConverter.GetBytes(number));
            packed.AddRange(BitConverter.GetBytes(bytes.Length));
            for (int at = 0; at < bytes.Length; at += BlockBytes)
            {
                ReadOnlySpan<byte> block = bytes.AsSpan(at, Math.Min(BlockBytes, bytes.Length - at)).TrimEnd((byte)0);
                packed.AddRange(BitConverter.GetBytes((ushort)block.Length));
                packed.AddRange(block);
            }
        }

        return [.. packed];
    }

    /// <summary>The files as they lie on a disk.</summary>
    public static List<(int Number, byte[] Bytes)> Unpack(ReadOnlySpan<byte> packed)
    {
        List<(int, byte[])> files = [];
        int at = 0;
        while (files.Count < FilesMax && packed.Length - at >= HeadBytes)
        {
            int number = BinaryPrimitives.ReadInt32LittleEndian(packed[at..]);
            byte[] bytes = new byte[LengthAt(packed, at)];
            at += HeadBytes;
            for (int block = 0; block < bytes.Length; block += BlockBytes)
            {
                int count = TakeCount(packed, ref at, Math.Min(BlockBytes, bytes.Length - block));
                packed.Slice(at, count).CopyTo(bytes.AsSpan(block));
                at += count;
            }

            files.Add((number, bytes));
        }

        return files;
    }

    public static FuzzDisk ToDisk(ReadOnlySpan<byte> packed, Func<int, string> name)
    {
        FuzzDisk disk = new();
        foreach ((int number, byte[] bytes) in Unpack(packed))
        {
            disk.Put(name(number), bytes);
        }

        return disk;
    }

    /// <summary>Takes over what was changed in the unpacked files, as far as the image has bytes there.</summary>
    public static void Update(Span<byte> packed, List<(int Number, byte[] Bytes)> files)
    {
        int at = 0;
        foreach ((_, byte[] bytes) in files)
        {
            at += HeadBytes;
            for (int block = 0; block < bytes.Length; block += BlockBytes)
            {
                int count = TakeCount(packed, ref at, Math.Min(BlockBytes, bytes.Length - block));
                bytes.AsSpan(block, count).CopyTo(packed[at..]);
                at += count;
            }
        }
    }

    private static int LengthAt(ReadOnlySpan<byte> packed, int at) =>
        (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(packed[(at + 4)..]), FileBytesMax);

    /// <summary>How many bytes of the next block are there.</summary>
    private static int TakeCount(ReadOnlySpan<byte> packed, ref int at, int max)
    {
        if (packed.Length - at < sizeof(ushort))
        {
            at = packed.Length;
            return 0;
        }

        int count = BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]);
        at += sizeof(ushort);
        return Math.Min(Math.Min(count, max), packed.Length - at);
    }
}
