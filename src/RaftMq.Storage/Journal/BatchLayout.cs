namespace RaftMq.Storage.Journal;

/// <summary>
/// A batch in a journal file (design 4; docs/on-disk.md has the bytes): header blocks, body blocks, one parity block when there is a body,
/// and the header blocks once more. Nothing shares a block with another batch.
/// </summary>
internal static class BatchLayout
{
    public const int BlockBytes = 4096;

    /// <summary>"RMJ1" read as a little-endian number.</summary>
    public const uint Magic = 0x314A4D52;

    public const ushort Version = 1;

    /// <summary>The fixed part of a header; block CRCs and the table follow.</summary>
    public const int FixedHeaderBytes = 176;

    /// <summary>A table of a million groups stays below; a larger claim is nonsense.</summary>
    public const int HeaderBytesMax = 256 << 20;

    public static int Blocks(long bytes) => checked((int)((bytes + BlockBytes - 1) / BlockBytes));

    public static int HeaderBytes(int bodyBlocks, int tableBytes) =>
        checked(FixedHeaderBytes + ((bodyBlocks * sizeof(uint)) + 7 & ~7) + tableBytes);

    public static int TableOffset(int bodyBlocks) => HeaderBytes(bodyBlocks, tableBytes: 0);

    /// <summary>Length of a whole batch.</summary>
    public static long BatchBytes(int headerBytes, int bodyBlocks) =>
        (long)BlockBytes * ((2 * Blocks(headerBytes)) + bodyBlocks + (bodyBlocks > 0 ? 1 : 0));
}
