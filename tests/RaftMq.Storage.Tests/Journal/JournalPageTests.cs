using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using static RaftMq.Storage.Tests.Recovery.OnDiskPageTests;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>Writes the journal's structures and compares them with the tables of docs/on-disk.md, field by field.</summary>
public sealed class JournalPageTests
{
    private static readonly GroupId Group = Records.Group(5);
    private static readonly StoreId Store = new(UInt128.MaxValue / 3);

    [Fact]
    public void The_batch_header_is_as_the_page_says()
    {
        BatchHeader header = new(
            BatchFlags.OpensFile | BatchFlags.OpensGeneration, Store, 3, 44, 1 << 20, 8192, 1_000_000, 55, 66, 999_999, 43,
            BatchLayout.HeaderBytes(2, 0), 5000, 0, 77, new GenerationCut(2, 900_000, 950_000, 88, 99));
        byte[] bytes = new byte[header.HeaderBytes];
        ulong hash = header.Write(bytes);
        Compare("Journal batch header", bytes, new()
        {
            ["\"RMJ1\""] = Magic("RMJ1"),
            ["CRC-32C of the header from byte 8 on"] = Crc32C.Compute(bytes.AsSpan(8)),
            ["version"] = 1,
            ["flags"] = 3,
            ["bytes of the header"] = 176 + 8,
            ["store id"] = Store.Value,
            ["generation"] = 3,
            ["number of the file"] = 44,
            ["where in the file the batch begins"] = 8192,
            ["position"] = 1_000_000,
            ["sequence"] = 55,
            ["hash of the header before"] = 66,
            ["durable up to this position"] = 999_999,
            ["first file still needed"] = 43,
            ["bytes of the body"] = 5000,
            ["rows of the table"] = 0,
            ["CRC-32C of the parity block"] = 77,
            ["zero"] = 0,
            ["cut: generation"] = 2,
            ["cut: from position"] = 900_000,
            ["cut: end"] = 950_000,
            ["cut: hash of the header before the from position"] = 88,
            ["cut: hash of the header before the end"] = 99,
            ["length of the file"] = 1 << 20,
            ["zero again"] = 0,
        });
        Assert.True(BatchHeader.TryRead(bytes, out BatchHeader read));
        Assert.Equal(header, read);
        Assert.Equal(BatchHeader.Hash(bytes), hash);
    }

    [Fact]
    public void The_rows_are_as_the_page_says()
    {
        JournalRecord record = new()
        {
            Group = Group,
            HardState = Records.Hard(7, 3),
            Entries = Records.Entries(Group, 11, 13, 6, 100),
            Commit = new LogIndex(10),
            SegmentsDurable = new LogIndex(9),
            Reset = (new LogIndex(8), new Term(4)),
            LogBase = new LogIndex(6),
        };
        BatchRow row = BatchRow.Of(record);
        row = row with
        {
            Parts = row.Parts | RowParts.LogEnd | RowParts.Cut | RowParts.Damaged,
            EndIndex = new LogIndex(15),
            EndTerm = new Term(5),
            CutFrom = new LogIndex(12),
            Damage = new JournalDamage(new LogPosition(new Term(6), new LogIndex(14)), HardStateLost: true, StateLost: false, KeptBelowFile: 77),
        };
        byte[] bytes = new byte[row.Bytes];
        Span<byte> at = bytes;
        row.Write(ref at);
        Assert.Equal(24 + 24 + 24 + 8 + 8 + 16 + 8 + 16 + 8 + 24, bytes.Length);
        Compare("Journal table row", bytes, new()
        {
            ["group incarnation"] = Group.Value,
            ["parts"] = 2 + 4 + 8 + 16 + 32 + 64 + 512 + 256 + 1024 + 2048,
            ["zero"] = 0,
            ["number of entries"] = 3,
        });
        Compare("Row: entries", bytes[24..], new()
        {
            ["first index"] = 11,
            ["last index"] = 13,
            ["last term"] = 6,
            ["bytes in the body"] = 3 * 164,
        });
        Compare("Row: hard state", bytes[48..], new() { ["term"] = 7, ["node voted for"] = 3, ["store voted for"] = 3 * 99 });
        Compare("Row: commit", bytes[72..], new() { ["committed index"] = 10 });
        Compare("Row: segments durable", bytes[80..], new() { ["durable index"] = 9 });
        Compare("Row: reset", bytes[88..], new() { ["index"] = 8, ["term"] = 4, ["zero"] = 0 });
        Compare("Row: log base", bytes[104..], new() { ["the log begins behind this index"] = 6 });
        Compare("Row: log end", bytes[112..], new() { ["index"] = 15, ["term; 0 where it is not known"] = 5, ["zero"] = 0 });
        Compare("Row: cut", bytes[128..], new() { ["the log ends before this index, whatever stands in the journal before this row"] = 12 });
        Compare("Row: damaged", bytes[136..], new()
        {
            ["index of the last entry that was held"] = 14,
            ["its term"] = 6,
            ["flags: 1 these are known, 2 term and vote are lost, 4 not even the state is known"] = 3,
            ["journal files below this number are kept"] = 77,
        });
        ReadOnlySpan<byte> back = bytes;
        Assert.True(BatchRow.TryRead(ref back, out BatchRow read));
        Assert.Equal(row, read);
        Assert.True(back.IsEmpty);
        for (int length = 0; length < bytes.Length; length++)
        {
            ReadOnlySpan<byte> cut = bytes.AsSpan(0, length);
            Assert.False(BatchRow.TryRead(ref cut, out _));
        }

        Assert.Equal(128 + 1 + 256 + 4096, (int)(RowParts.Deleted | RowParts.State | RowParts.Damaged | RowParts.Healed));
    }

    [Fact]
    public void A_batch_is_header_body_parity_and_header_again()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Queue.RunAll();
        string path = $"journal/{rig.Disk.List("journal")[0]}";
        using IDiskFile file = rig.Disk.Open(path, DiskFileMode.Existing);
        Entry entry = Records.Entry(Group, 1, 1, 5000);
        long start = 2 * BatchLayout.BlockBytes; // Behind the batch that opened the file, which has no body.
        rig.Write(Records.Of(Group, entry));
        byte[] batch = new byte[5 * BatchLayout.BlockBytes];
        file.Read(start, batch);
        Assert.Equal(batch[..4096], batch[^4096..]);
        Assert.Equal(entry.Bytes.ToArray(), batch[4096..(4096 + 5064)]);
        Assert.All(batch[(4096 + 5064)..(3 * 4096)], value => Assert.Equal(0, value));
        for (int i = 0; i < 4096; i++)
        {
            Assert.Equal(batch[4096 + i] ^ batch[8192 + i], batch[12288 + i]);
        }

        Assert.Equal(Crc32C.Compute(batch.AsSpan(4096, 4096)), BitConverter.ToUInt32(batch, 176));
        Assert.Equal(Crc32C.Compute(batch.AsSpan(8192, 4096)), BitConverter.ToUInt32(batch, 180));
        Assert.Equal(Crc32C.Compute(batch.AsSpan(12288, 4096)), BitConverter.ToUInt32(batch, 104));
    }

    [Fact]
    public void Identity_and_boot_are_as_the_page_says()
    {
        byte[] identity = IdentityLayout.WriteIdentity(new NodeId(6), Store);
        Compare("identity", identity, new()
        {
            ["\"RMID\""] = Magic("RMID"),
            ["CRC-32C of bytes 8 to 47"] = Crc32C.Compute(identity.AsSpan(8, 40)),
            ["format of the data folder"] = 2,
            ["zero"] = 0,
            ["store id"] = Store.Value,
            ["node id"] = 6,
            ["zero again"] = 0,
        });
        byte[] boot = IdentityLayout.WriteBoot(Store, 12);
        Compare("boot", boot, new()
        {
            ["\"RMBT\""] = Magic("RMBT"),
            ["CRC-32C of bytes 8 to 47"] = Crc32C.Compute(boot.AsSpan(8, 40)),
            ["format of the data folder"] = 2,
            ["zero"] = 0,
            ["store id"] = Store.Value,
            ["boot number"] = 12,
            ["zero again"] = 0,
        });
        Assert.Equal(identity[..512], identity[512..]);
        Assert.Equal(boot[..512], boot[512..]);
    }

    [Fact]
    public void The_mark_is_as_the_page_says()
    {
        JournalMark mark = new(OpenedFile: 7, NewestFile: 8);
        byte[] bytes = mark.Encode(Store, sequence: 31);
        Compare("journal.mark", bytes, new()
        {
            ["\"RMJM\""] = Magic("RMJM"),
            ["CRC-32C of bytes 8 to 47"] = Crc32C.Compute(bytes.AsSpan(8, 40)),
            ["sequence"] = 31,
            ["store id"] = Store.Value,
            ["opened file"] = 7,
            ["newest file"] = 8,
        });
        Assert.True(JournalMark.TryDecode(bytes, Store, out JournalMark read, out long sequence));
        Assert.Equal((mark, 31), (read, sequence));
        Assert.False(JournalMark.TryDecode(bytes, new StoreId(1), out _, out _));
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(JournalMark.TryDecode(bytes.AsSpan(0, length), Store, out _, out _));
        }

        JournalRig rig = new JournalRig().Start();
        rig.Queue.RunAll();
        using IDiskFile file = rig.Disk.Open("journal.mark", DiskFileMode.Existing);
        byte[] both = new byte[8192];
        Assert.Equal(both.Length, file.Length);
        file.Read(0, both);
        Assert.True(JournalMark.TryDecode(both, JournalRig.Store, out JournalMark first, out _));
        Assert.True(JournalMark.TryDecode(both.AsSpan(4096), JournalRig.Store, out JournalMark second, out _));
        Assert.Equal((new JournalMark(1, 2), new JournalMark(1, 1)), (first, second));
        Assert.All(both[48..4096], value => Assert.Equal(0, value));
        Assert.All(both[(4096 + 48)..], value => Assert.Equal(0, value));
    }
}
