using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Storage;
using RaftMq.Storage.Journal;

namespace RaftMq.Simulation.Faults;

/// <summary>A journal file as it lies on a medium: its batches, as far as one of their two headers can be read.</summary>
internal sealed class JournalImage
{
    private const int Block = BatchLayout.BlockBytes;

    public JournalImage(string path, long number, byte[] bytes)
    {
        Path = path;
        Bytes = bytes;
        for (long at = 0; at + Block <= bytes.Length;)
        {
            if (HeaderAt(at) is { } header && header.FileNumber == number && header.FileEnd <= bytes.Length
                && (at == header.FileOffset || at == header.CopyOffset))
            {
                Batches.Add(new Batch(header, HeaderAt(header.FileOffset) == header, HeaderAt(header.CopyOffset) == header, IsBodyWhole(header), NamesNew(header, at)));
                at = header.FileEnd;
            }
            else
            {
                at += Block;
            }
        }
    }

    public string Path { get; }

    public byte[] Bytes { get; }

    /// <summary>Ascending.</summary>
    public List<Batch> Batches { get; } = [];

    /// <summary>Groups that its tables name.</summary>
    public SortedSet<GroupId> Named { get; } = [];

    /// <summary>
    /// The block is part of the only header that is left of a batch whose table can't be missed: it opens the file, or a group is named for the first time
    /// in this file there or behind. What is said of a group behind a lost table tells nothing of how its log began.
    /// </summary>
    /// <param name="mayNameMore">Groups may be named for the first time behind the last batch.</param>
    public bool MustKeep(long at, bool mayNameMore)
    {
        bool namesNew = mayNameMore;
        for (int i = Batches.Count - 1; i >= 0; i--)
        {
            Batch batch = Batches[i];
            namesNew |= batch.NamesNew;
            long kept = batch.HasSecond ? batch.Header.CopyOffset : batch.Header.FileOffset;
            if ((namesNew || batch.Header.OpensFile) && at >= kept && at < kept + ((long)batch.Header.HeaderBlocks * Block))
            {
                return true;
            }
        }

        return false;
    }

    private BatchHeader? HeaderAt(long at) =>
        at >= 0 && at + Block <= Bytes.Length && BatchHeader.TryReadLength(Bytes.AsSpan((int)at, Block), out int headerBytes)
        && at + headerBytes <= Bytes.Length && BatchHeader.TryRead(Bytes.AsSpan((int)at, headerBytes), out BatchHeader header) ? header : null;

    private bool IsBodyWhole(in BatchHeader header)
    {
        int body = (int)header.FileOffset + (header.HeaderBlocks * Block);
        ReadOnlySpan<byte> checksums = Bytes.AsSpan((int)(HeaderAt(header.FileOffset) == header ? header.FileOffset : header.CopyOffset) + BatchLayout.FixedHeaderBytes);
        for (int block = 0; block < header.BodyBlocks; block++)
        {
            if (Crc32C.Compute(Bytes.AsSpan(body + (block * Block), Block)) != BinaryPrimitives.ReadUInt32LittleEndian(checksums[(block * sizeof(uint))..]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A group is named that no readable table before it in this file names.</summary>
    private bool NamesNew(in BatchHeader header, long at)
    {
        bool namesNew = false;
        ReadOnlySpan<byte> table = Bytes.AsSpan((int)at + BatchLayout.TableOffset(header.BodyBlocks), header.HeaderBytes - BatchLayout.TableOffset(header.BodyBlocks));
        for (int i = 0; i < header.RowCount && BatchRow.TryRead(ref table, out BatchRow row); i++)
        {
            namesNew |= Named.Add(row.Group);
        }

        return namesNew && !header.OpensFile;
    }

    /// <param name="HasFirst">The header in front can be read.</param>
    /// <param name="HasSecond">The header behind can be read.</param>
    /// <param name="NamesNew">Its table is the first one of the file to name a group; not that of the opening batch.</param>
    internal sealed record Batch(BatchHeader Header, bool HasFirst, bool HasSecond, bool HasBody, bool NamesNew)
    {
        public bool IsWhole => HasFirst && HasSecond && HasBody;
    }
}
