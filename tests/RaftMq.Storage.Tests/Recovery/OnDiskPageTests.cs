using System.Globalization;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>Writes the structures of a group's files and compares them with the tables of docs/on-disk.md, field by field.</summary>
public class OnDiskPageTests
{
    private static readonly GroupId Group = LogHarness.Group;

    [Fact]
    public void The_entry_is_as_the_page_says()
    {
        byte[] entry = new byte[EntryLayout.HeaderBytes + 30];
        EntryHeader header = new(
            entry.Length, EntryKinds.Data, EntryFlags.StartsSegment, new Term(77), new LogIndex(1234567890123), 9876543210, 55, 21, 1700000000123, Group);
        EntryLayout.WriteHeader(entry, header);
        Compare("Entry", entry, new()
        {
            ["length of the whole entry"] = 94,
            ["CRC-32C of bytes 8 to 63 and of the guarded part of the payload"] = Crc32C.Compute(entry.AsSpan(8, 56 + 21)),
            ["version"] = 1,
            ["kind"] = 16,
            ["flags"] = 1,
            ["term"] = 77,
            ["index"] = 1234567890123,
            ["base offset"] = 9876543210,
            ["record count"] = 55,
            ["guarded bytes"] = 21,
            ["timestamp"] = 1700000000123,
            ["group incarnation"] = Group.Value,
        });
    }

    [Fact]
    public void The_segment_index_is_as_the_page_says()
    {
        SegmentSummary summary = new(new LogIndex(11), new LogIndex(22), 33, 44, new Term(5), 66, 77, 88);
        byte[] bytes = IndexFile.Encode(Group, new SparseIndex(summary, [new IndexPoint(new LogIndex(11), 33, 9, 3)]));
        Compare("Segment index", bytes, new()
        {
            ["\"RMQI\""] = Magic("RMQI"),
            ["version"] = 1,
            ["zero"] = 0,
            ["group incarnation"] = Group.Value,
            ["first index"] = 11,
            ["last index"] = 22,
            ["first offset"] = 33,
            ["next offset"] = 44,
            ["term of the last entry"] = 5,
            ["number of points"] = 1,
            ["timestamp of the first entry"] = 66,
            ["greatest timestamp"] = 77,
            ["length of the segment"] = 88,
        });
        Compare("Index point", bytes[IndexFile.HeaderBytes..], new()
        {
            ["index"] = 11,
            ["offset"] = 33,
            ["greatest timestamp before"] = 9,
            ["position"] = 3,
        });
        Assert.Equal(88 + 32 + 4, bytes.Length);
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(0, 120)), BitConverter.ToUInt32(bytes, 120));
    }

    [Fact]
    public void The_checkpoint_is_as_the_page_says()
    {
        CheckpointHead head = new(
            Group, new LogIndex(100), new Term(7), LogHarness.First, 200, new LogIndex(3), 4, [new TermStart(new Term(7), new LogIndex(90), 150)]);
        byte[] bytes = CheckpointCodec.EncodeHead(new Checkpoint(head, 6, new byte[500]));
        int membership = MembershipCodec.SizeOf(LogHarness.First);
        Compare("Checkpoint", bytes, new()
        {
            ["\"RMQC\""] = Magic("RMQC"),
            ["version"] = 1,
            ["zero"] = 0,
            ["group incarnation"] = Group.Value,
            ["last index"] = 100,
            ["last term"] = 7,
            ["version of the state"] = 6,
            ["next offset"] = 200,
            ["log start index"] = 3,
            ["log start offset"] = 4,
            ["bytes of the membership"] = (uint)membership,
            ["number of term starts"] = 1,
            ["bytes of the state"] = 500,
        });
        Compare("Term start", bytes[(CheckpointCodec.HeaderBytes + membership)..], new()
        {
            ["term"] = 7,
            ["first index"] = 90,
            ["first offset"] = 150,
        });
    }

    [Fact]
    public void The_membership_and_the_meta_file_are_as_the_page_says()
    {
        Membership membership = new(
            [LogHarness.Replica(1), LogHarness.Replica(2)], [LogHarness.Replica(1)], [LogHarness.Replica(4), LogHarness.Replica(5), LogHarness.Replica(6)]);
        Compare("Membership", MembershipCodec.ToBytes(membership), new()
        {
            ["version"] = 1,
            ["voters"] = 2,
            ["outgoing voters"] = 1,
            ["learners"] = 3,
        });
        byte[] meta = new GroupMeta(Group, "orders-3", membership).Encode();
        Compare("group.meta", meta, new()
        {
            ["\"RMQG\""] = Magic("RMQG"),
            ["version"] = 1,
            ["zero"] = 0,
            ["group incarnation"] = Group.Value,
            ["bytes of the name"] = 8,
            ["bytes of the membership"] = (uint)MembershipCodec.SizeOf(membership),
        });
    }

    internal static void Compare(string section, byte[] bytes, Dictionary<string, UInt128> expected)
    {
        foreach ((int at, int size, string field) in Rows(section))
        {
            Assert.True(expected.Remove(field, out UInt128 value), $"{section}: the test knows no field '{field}'");
            UInt128 found = 0;
            for (int i = size - 1; i >= 0; i--)
            {
                found = (found << 8) | bytes[at + i];
            }

            Assert.True(value == found, $"{section}: '{field}' at {at} is {found}, expected {value}");
        }

        Assert.True(expected.Count == 0, $"{section}: not on the page: {string.Join(", ", expected.Keys)}");
    }

    /// <summary>The rows with a size of the first table under a heading; they must follow each other without a gap.</summary>
    private static List<(int At, int Size, string Field)> Rows(string section)
    {
        List<(int, int, string)> rows = [];
        int next = 0;
        bool inside = false;
        foreach (string line in File.ReadLines(Path.Combine(Root(), "docs", "on-disk.md")))
        {
            if (line.StartsWith('#'))
            {
                if (inside)
                {
                    break;
                }

                inside = line.TrimStart('#').Trim() == section;
                continue;
            }

            string[] cells = line.Split('|', StringSplitOptions.TrimEntries);
            if (!inside || cells.Length != 5 || !int.TryParse(cells[1], CultureInfo.InvariantCulture, out int at))
            {
                continue;
            }

            Assert.Equal(next, at);
            if (cells[2].Length == 0)
            {
                continue;
            }

            int size = int.Parse(cells[2], CultureInfo.InvariantCulture);
            rows.Add((at, size, cells[3]));
            next = at + size;
        }

        Assert.NotEmpty(rows);
        return rows;
    }

    internal static UInt128 Magic(string letters) => BitConverter.ToUInt32(System.Text.Encoding.ASCII.GetBytes(letters));

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "RaftMq.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The repository's root was not found.");
    }
}
