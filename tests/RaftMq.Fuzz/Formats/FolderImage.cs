using System.Buffers.Binary;
using RaftMq.Fuzz.Disk;

namespace RaftMq.Fuzz.Formats;

/// <summary>Several files in one input: per file a number that its name is made of, its length, its bytes. Read from anything, without a refusal.</summary>
internal static class FolderImage
{
    private const int HeadBytes = 8;

    public static byte[] Pack(IEnumerable<(int Number, byte[] Bytes)> files)
    {
        List<byte> packed = [];
        foreach ((int number, byte[] bytes) in files)
        {
            packed.AddRange(BitConverter.GetBytes(number));
            packed.AddRange(BitConverter.GetBytes(bytes.Length));
            packed.AddRange(bytes);
        }

        return [.. packed];
    }

    /// <summary>Number, and where the bytes lie in the input.</summary>
    public static List<(int Number, int At, int Length)> Find(ReadOnlySpan<byte> packed)
    {
        List<(int, int, int)> files = [];
        int at = 0;
        while (packed.Length - at >= HeadBytes)
        {
            int number = BinaryPrimitives.ReadInt32LittleEndian(packed[at..]);
            int length = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(packed[(at + 4)..]), (uint)(packed.Length - at - HeadBytes));
            files.Add((number, at + HeadBytes, length));
            at += HeadBytes + length;
        }

        return files;
    }

    public static FuzzDisk Unpack(byte[] packed, Func<int, string> name)
    {
        FuzzDisk disk = new();
        foreach ((int number, int at, int length) in Find(packed))
        {
            disk.Put(name(number), packed[at..(at + length)]);
        }

        return disk;
    }
}
