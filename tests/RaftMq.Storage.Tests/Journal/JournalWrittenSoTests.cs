using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>Journals whose checksums hold and that no version of this broker writes: a start refuses or says what is damaged, and never just falls.</summary>
public sealed class JournalWrittenSoTests
{
    private static readonly GroupId A = Records.Group(1);

    [Theory]
    [InlineData(100, 1_000)] // Rows that are not there.
    [InlineData(100, 0x7FFFFFFF)]
    public void A_table_that_ends_early_refuses_the_start(int field, int value)
    {
        JournalRig rig = WithChangedHeader(header => BinaryPrimitives.WriteInt32LittleEndian(header[field..], value));
        JournalRefusedException refused = Assert.Throws<JournalRefusedException>(() => rig.Start());
        Assert.Contains("can't read it", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_with_more_entry_bytes_than_the_batch_has_refuses_the_start()
    {
        JournalRig rig = WithChangedHeader(header =>
        {
            int row = BatchLayout.TableOffset(BatchLayout.Blocks(BinaryPrimitives.ReadInt32LittleEndian(header[96..])));
            BinaryPrimitives.WriteInt32LittleEndian(header[(row + 24 + 20)..], 1 << 20);
        });
        Assert.Throws<JournalRefusedException>(() => rig.Start());
    }

    [Fact]
    public void A_file_that_is_needed_and_behind_all_that_there_are_refuses_the_start()
    {
        JournalRig rig = WithChangedHeader(header => BinaryPrimitives.WriteInt64LittleEndian(header[88..], 999));
        JournalRefusedException refused = Assert.Throws<JournalRefusedException>(() => rig.Start());
        Assert.Contains("0000000000000999", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_that_says_that_its_own_file_is_not_needed_refuses_the_start()
    {
        // Of the first file, so that there is one of the number that it names; its last batch a later start has written anew.
        JournalRig rig = WithChangedHeader(header => BinaryPrimitives.WriteInt64LittleEndian(header[88..], 2), lives: 2, batches: 2, isOpening: true);
        JournalRefusedException refused = Assert.Throws<JournalRefusedException>(() => rig.Start());
        Assert.Contains("its own file is not needed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_last_batch_that_says_that_less_is_durable_than_the_one_before_refuses_the_start()
    {
        JournalRig rig = WithChangedHeader(header => BinaryPrimitives.WriteInt64LittleEndian(header[80..], 0), batches: 2);
        JournalRefusedException refused = Assert.Throws<JournalRefusedException>(() => rig.Start());
        Assert.Contains("do not agree how far", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8, -1)] // The sequence says which of its places is written next.
    [InlineData(8, long.MaxValue)]
    [InlineData(32, -1)] // The opened file.
    [InlineData(40, 0)] // The newest one, older than that.
    public void A_mark_with_numbers_that_no_mark_has_is_not_taken(int field, long value)
    {
        byte[] mark = new JournalMark(7, 8).Encode(JournalRig.Store, sequence: 3);
        BinaryPrimitives.WriteInt64LittleEndian(mark.AsSpan(field), value);
        BinaryPrimitives.WriteUInt32LittleEndian(mark.AsSpan(4), Crc32C.Compute(mark.AsSpan(8)));
        Assert.False(JournalMark.TryDecode(mark, JournalRig.Store, out _, out _));
    }

    [Fact]
    public void Fewer_entries_than_a_row_says_are_damage()
    {
        JournalRig rig = WithChangedHeader(header =>
        {
            int row = BatchLayout.TableOffset(BatchLayout.Blocks(BinaryPrimitives.ReadInt32LittleEndian(header[96..])));
            BinaryPrimitives.WriteInt32LittleEndian(header[(row + 20)..], 4);
            BinaryPrimitives.WriteInt64LittleEndian(header[(row + 24 + 8)..], 4);
        });
        rig.Start(damageIsFailure: false);
        Assert.True(rig.Replayed.IsDamaged);
    }

    [Fact]
    public void A_membership_entry_that_holds_none_is_damage()
    {
        byte[] bytes = new byte[EntryLayout.HeaderBytes + 5];
        EntryLayout.WriteHeader(bytes, new EntryHeader(
            bytes.Length, EntryKind.Membership, EntryFlags.None, new Term(1), new LogIndex(1), 0, 0, 5, 0, A));
        JournalRig rig = new JournalRig().Start();
        rig.Write(Records.Of(A, new Entry(new LogIndex(1), new Term(1), EntryKind.Membership, bytes, Membership.None)));
        rig.Disk.ProcessCrash();
        rig.Start(damageIsFailure: false);
        Assert.True(rig.Replayed.IsDamaged);
    }

    /// <summary>Records may be filled with what looks like heads of the longest headers; a start passes over the whole of them once.</summary>
    [Fact]
    public void Blocks_that_look_like_heads_of_long_headers_are_read_once()
    {
        const int blocks = 256;
        byte[] file = new byte[blocks * BatchLayout.BlockBytes];
        for (int block = 0; block < blocks; block++)
        {
            Span<byte> head = file.AsSpan(block * BatchLayout.BlockBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(head, BatchLayout.Magic);
            BinaryPrimitives.WriteInt32LittleEndian(head[12..], (blocks - block) * BatchLayout.BlockBytes);
        }

        CountedFile counted = new(file);
        JournalFileReader reader = new(counted, 1, JournalRig.Store, new byte[JournalFileReader.ScratchBytes]);
        Assert.Null(reader.FindFrom(0));
        Assert.InRange(counted.ReadBytes, file.Length, 5L * file.Length);
    }

    /// <summary>A journal with three entries in each batch; of the last one in its first file both copies of the header are changed and given their right CRC.</summary>
    /// <param name="isOpening">Of the first one.</param>
    private static JournalRig WithChangedHeader(HeaderChange change, int lives = 1, int batches = 1, bool isOpening = false)
    {
        JournalRig rig = new();
        int next = 1;
        for (int life = 0; life < lives; life++)
        {
            rig.Start();
            for (int batch = 0; batch < batches; batch++, next += 3)
            {
                rig.Write(Records.Of(A, Records.Entries(A, next, next + 2, 1, 50)));
            }

            rig.Disk.ProcessCrash();
        }

        (string path, BatchHeader last) = rig.Disk.List(JournalFile.Folder)
            .Select(name => $"{JournalFile.Folder}/{name}")
            .Select(path => (path, HeaderIn(rig.Disk, path, isOpening)))
            .First(file => file.Item2.HeaderBytes > 0);
        using IDiskFile file = rig.Disk.Open(path, DiskFileMode.Existing);
        byte[] block = new byte[BatchLayout.BlockBytes];
        file.Read(last.FileOffset, block);
        Span<byte> changed = block.AsSpan(0, last.HeaderBytes);
        change(changed);
        BinaryPrimitives.WriteUInt32LittleEndian(changed[4..], Crc32C.Compute(changed[8..]));
        file.Write(last.FileOffset, block);
        file.Write(last.CopyOffset, block);
        return rig;
    }

    private static BatchHeader HeaderIn(IDisk disk, string path, bool isOpening)
    {
        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        byte[] block = new byte[BatchLayout.BlockBytes];
        BatchHeader last = default;
        for (long at = 0; file.Read(at, block) == block.Length && BatchHeader.TryReadLength(block, out int length)
            && BatchHeader.TryRead(block.AsSpan(0, length), out BatchHeader header); at = header.FileEnd)
        {
            last = header;
            if (isOpening)
            {
                break;
            }
        }

        return last;
    }

    private delegate void HeaderChange(Span<byte> header);

    private sealed class CountedFile(byte[] bytes) : IDiskFile
    {
        public long ReadBytes { get; private set; }

        public string Path => "counted";

        public long Length => bytes.Length;

        public int Read(long position, Span<byte> buffer)
        {
            int count = (int)Math.Min(bytes.Length - position, buffer.Length);
            bytes.AsSpan((int)position, count).CopyTo(buffer);
            ReadBytes += count;
            return count;
        }

        public void Write(long position, ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => throw new NotSupportedException();

        public void Sync() => throw new NotSupportedException();

        public void SetLength(long length) => throw new NotSupportedException();

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
