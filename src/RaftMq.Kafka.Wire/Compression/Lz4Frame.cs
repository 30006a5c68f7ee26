using System.Buffers.Binary;

namespace RaftMq.Kafka.Wire.Compression;

/// <summary>
/// LZ4 frames: magic, descriptor with the second byte of its xxHash as check, blocks behind their sizes, end mark. Written with independent
/// blocks of 64 KiB as Kafka clients do; read with all options but dictionaries.
/// </summary>
internal static class Lz4Frame
{
    private const uint magic = 0x184D2204;
    private const int blockBytes = 64 * 1024;

    // The descriptor's first byte: version 1 in the upper two bits.
    private const byte versionMask = 0xC0;
    private const byte version = 0x40;
    private const byte independentBlocks = 0x20;
    private const byte blockChecksum = 0x10;
    private const byte contentSize = 0x08;
    private const byte contentChecksum = 0x04;
    private const byte dictionary = 0x01;

    // The descriptor's second byte: 4 is 64 KiB, each step four times more.
    private const byte blocksOf64Kib = 4 << 4;
    private const uint notCompressed = 0x80000000;

    public static string? Open(ReadOnlySpan<byte> compressed, OpenedBytes opened)
    {
        while (!compressed.IsEmpty)
        {
            if (OpenOne(ref compressed, opened) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    public static byte[] Compress(ReadOnlySpan<byte> bytes)
    {
        int blocks = (bytes.Length / blockBytes) + 1;
        byte[] target = new byte[7 + (blocks * (sizeof(uint) + Lz4Block.SizeMax(0))) + Lz4Block.SizeMax(bytes.Length) + sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(target, magic);
        target[4] = version | independentBlocks;
        target[5] = blocksOf64Kib;
        target[6] = HeaderCheck(target.AsSpan(4, 2));
        int at = 7;
        MatchFinder finder = new();
        for (int start = 0; start < bytes.Length; start += blockBytes)
        {
            ReadOnlySpan<byte> block = bytes.Slice(start, Math.Min(blockBytes, bytes.Length - start));
            int size = Lz4Block.Compress(block, finder, target.AsSpan(at + sizeof(uint)));
            uint head = (uint)size;
            if (size >= block.Length)
            {
                size = block.Length;
                head = (uint)size | notCompressed;
                block.CopyTo(target.AsSpan(at + sizeof(uint)));
            }

            BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(at), head);
            at += sizeof(uint) + size;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(at), 0);
        return target[..(at + sizeof(uint))];
    }

    private static string? OpenOne(ref ReadOnlySpan<byte> compressed, OpenedBytes opened)
    {
        if (compressed.Length < 7 || BinaryPrimitives.ReadUInt32LittleEndian(compressed) != magic)
        {
            return "not an LZ4 frame";
        }

        byte flags = compressed[4];
        int descriptorBytes = 2 + ((flags & contentSize) != 0 ? sizeof(ulong) : 0);
        if ((flags & versionMask) != version || (flags & dictionary) != 0)
        {
            return "an LZ4 frame of another version, or one that needs a dictionary";
        }

        if (compressed.Length < 4 + descriptorBytes + 1
            || compressed[4 + descriptorBytes] != HeaderCheck(compressed.Slice(4, descriptorBytes)))
        {
            return "the LZ4 frame's head is damaged";
        }

        compressed = compressed[(4 + descriptorBytes + 1)..];
        int start = opened.Length;
        if (OpenBlocks(ref compressed, opened, flags) is { } fault)
        {
            return fault;
        }

        if ((flags & contentChecksum) != 0)
        {
            if (compressed.Length < sizeof(uint)
                || BinaryPrimitives.ReadUInt32LittleEndian(compressed) != XxHash32.Compute(opened.Written.Span[start..]))
            {
                return "the LZ4 frame's content does not fit its checksum";
            }

            compressed = compressed[sizeof(uint)..];
        }

        return null;
    }

    private static string? OpenBlocks(ref ReadOnlySpan<byte> compressed, OpenedBytes opened, byte flags)
    {
        int checksumBytes = (flags & blockChecksum) != 0 ? sizeof(uint) : 0;
        while (true)
        {
            if (compressed.Length < sizeof(uint))
            {
                return "the LZ4 frame ends before its end mark";
            }

            uint head = BinaryPrimitives.ReadUInt32LittleEndian(compressed);
            compressed = compressed[sizeof(uint)..];
            if (head == 0)
            {
                return null;
            }

            long size = head & ~notCompressed;
            if (size + checksumBytes > compressed.Length)
            {
                return "an LZ4 block is longer than the frame";
            }

            ReadOnlySpan<byte> block = compressed[..(int)size];
            if (checksumBytes > 0
                && BinaryPrimitives.ReadUInt32LittleEndian(compressed[(int)size..]) != XxHash32.Compute(block))
            {
                return "an LZ4 block does not fit its checksum";
            }

            compressed = compressed[((int)size + checksumBytes)..];
            if (!((head & notCompressed) != 0 ? opened.TryAppend(block) : Lz4Block.TryOpen(block, opened)))
            {
                return "an LZ4 block is damaged, or more comes out than is allowed";
            }
        }
    }

    private static byte HeaderCheck(ReadOnlySpan<byte> descriptor) => (byte)(XxHash32.Compute(descriptor) >> 8);
}
