using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Index;

/// <summary>
/// The stored form of a <see cref="SparseIndex"/>, beside the sealed segment it belongs to. Little-endian.
/// <code>
///   0  u32  "RMQI"
///   4  u16  version (1)
///   6  u16  zero
///   8  u128 group incarnation
///  24  i64  first index
///  32  i64  last index
///  40  i64  first offset
///  48  i64  next offset
///  56  i32  term of the last entry
///  60  u32  number of points
///  64  i64  timestamp of the first entry
///  72  i64  greatest timestamp
///  80  i64  length of the segment in bytes
///  88  points of 32 bytes: i64 index, i64 offset, i64 greatest timestamp before, i64 position
///  ..  u32  CRC-32C of everything before
/// </code>
/// </summary>
internal static class IndexFile
{
    public const uint Magic = 0x49514D52;
    public const ushort Version = 1;
    public const int HeaderBytes = 88;
    public const int PointBytes = 32;
    public const int TrailerBytes = 4;

    /// <summary>A segment of the largest allowed size stays below; a longer file is no index.</summary>
    private const int PointsMax = 1 << 20;

    public static byte[] Encode(GroupId group, SparseIndex index)
    {
        SegmentSummary s = index.Summary;
        byte[] bytes = new byte[HeaderBytes + (index.Points.Count * PointBytes) + TrailerBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(8), group.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), s.First.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), s.Last.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), s.FirstOffset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(48), s.NextOffset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(56), s.LastTerm.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(60), (uint)index.Points.Count);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(64), s.FirstTimestampMs);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(72), s.MaxTimestampMs);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(80), s.LengthBytes);
        int at = HeaderBytes;
        foreach (IndexPoint point in index.Points)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), point.Index.Value);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 8), point.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 16), point.MaxTimestampBeforeMs);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 24), point.Position);
            at += PointBytes;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), Crc32C.Compute(bytes.AsSpan(0, at)));
        return bytes;
    }

    /// <summary>Null when the bytes are not a whole index of this group and segment: then it is made again from the segment.</summary>
    public static SparseIndex? TryDecode(ReadOnlySpan<byte> bytes, GroupId group, LogIndex first)
    {
        if (bytes.Length < HeaderBytes + TrailerBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) != Version
            || BinaryPrimitives.ReadUInt128LittleEndian(bytes[8..]) != group.Value)
        {
            return null;
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(bytes[60..]);
        int end = bytes.Length - TrailerBytes;
        if (count is 0 or > PointsMax
            || end != HeaderBytes + ((int)count * PointBytes)
            || (!PlantedBug.IndexTrustedUnverified && BinaryPrimitives.ReadUInt32LittleEndian(bytes[end..]) != Crc32C.Compute(bytes[..end])))
        {
            return null;
        }

        SegmentSummary summary = new(
            new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
            new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(bytes[32..])),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]),
            new Term(BinaryPrimitives.ReadInt32LittleEndian(bytes[56..])),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[64..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[72..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[80..]));
        if (summary.First != first)
        {
            return null;
        }

        IndexPoint[] points = new IndexPoint[count];
        for (int i = 0; i < points.Length; i++)
        {
            ReadOnlySpan<byte> point = bytes.Slice(HeaderBytes + (i * PointBytes), PointBytes);
            points[i] = new IndexPoint(
                new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(point)),
                BinaryPrimitives.ReadInt64LittleEndian(point[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(point[16..]),
                BinaryPrimitives.ReadInt64LittleEndian(point[24..]));
        }

        return AreInside(summary, points) ? new SparseIndex(summary, points) : null;
    }

    /// <summary>The first point is the first entry's, each lies behind the one before it, and all in the segment: reads begin there.</summary>
    private static bool AreInside(in SegmentSummary summary, ReadOnlySpan<IndexPoint> points)
    {
        if (points[0].Index != summary.First || points[0].Position != 0)
        {
            return false;
        }

        for (int i = 1; i < points.Length; i++)
        {
            if (points[i].Index <= points[i - 1].Index || points[i].Position <= points[i - 1].Position)
            {
                return false;
            }
        }

        return points[^1].Index <= summary.Last && points[^1].Position < summary.LengthBytes;
    }

    /// <summary>Null when there is no whole index file of this group and segment.</summary>
    public static SparseIndex? TryLoad(IDisk disk, string path, GroupId group, LogIndex first)
    {
        if (!disk.FileExists(path))
        {
            return null;
        }

        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        if (file.Length > HeaderBytes + ((long)PointsMax * PointBytes) + TrailerBytes)
        {
            return null;
        }

        byte[] bytes = new byte[file.Length];
        return file.Read(0, bytes) == bytes.Length ? TryDecode(bytes, group, first) : null;
    }

    /// <summary>Through a temporary name: whoever looks, after a crash too, finds the old one or the new one, whole.</summary>
    public static void Write(IDisk disk, string path, GroupId group, SparseIndex index)
    {
        string temporary = path + CheckpointFile.TemporarySuffix;
        if (disk.FileExists(temporary))
        {
            disk.DeleteFile(temporary);
        }

        using (IDiskFile file = disk.Open(temporary, DiskFileMode.CreateNew))
        {
            file.Write(0, Encode(group, index));
            file.Sync();
        }

        disk.Rename(temporary, path);
    }
}
