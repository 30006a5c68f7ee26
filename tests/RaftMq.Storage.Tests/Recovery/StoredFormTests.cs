using System.Buffers.Binary;
using System.Security.Cryptography;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Segments;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>Files whose checksums hold around something that was never written.</summary>
public sealed class StoredFormTests
{
    private static readonly GroupId Group = LogHarness.Group;

    [Fact]
    public void A_groups_name_that_is_not_UTF8_is_refused()
    {
        byte[] file = new GroupMeta(Group, "orders", Membership.None).Encode();
        file[GroupMeta.HeaderBytes] = 0xFF;
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - 4), Crc32C.Compute(file.AsSpan(0, file.Length - 4)));
        Assert.Null(GroupMeta.TryDecode(file));
    }

    [Fact]
    public void A_checkpoint_of_an_impossible_place_is_refused()
    {
        Assert.NotNull(CheckpointCodec.TryDecode(Stored(Head()), Group));
        TermStart first = new(new Term(2), new LogIndex(3), 4);
        CheckpointHead[] impossible =
        [
            Head() with { LastIndex = new LogIndex(-1) },
            Head() with { LastTerm = new Term(-1) },
            Head() with { NextOffset = -1 },
            Head() with { LogStartIndex = new LogIndex(-1) },
            Head() with { LogStartOffset = -1 },
            Head() with { Terms = [first, first] },
            Head() with { Terms = [first, first with { Term = new Term(3) }] },
            Head() with { Terms = [first, new TermStart(new Term(1), new LogIndex(9), 9)] },
            Head() with { Terms = [first with { FirstOffset = -1 }] },
        ];
        foreach (CheckpointHead head in impossible)
        {
            Assert.Null(CheckpointCodec.TryDecode(Stored(head), Group));
        }
    }

    [Fact]
    public void A_segments_membership_entry_that_holds_none_is_damage_for_who_reads_it()
    {
        byte[] entry = new byte[EntryLayout.HeaderBytes + 5];
        EntryLayout.WriteHeader(entry, new EntryHeader(
            entry.Length, EntryKind.Membership, EntryFlags.StartsSegment, new Term(1), new LogIndex(1), 0, 0, 5, 0, Group));
        var disk = new RaftMq.Simulation.Disk.SimulatedDisk(new RandomSource(1));
        disk.CreateFolder("g");
        using (IDiskFile file = disk.Open(SegmentNames.Log("g", new LogIndex(1)), DiskFileMode.CreateNew))
        {
            file.Write(0, entry);
            SparseIndex index = SegmentSet.TryScan(file, Group, SegmentSummary.Empty(new LogIndex(1), 0), entry.Length, out _)!;
            LogRead read = new(waiter: null);
            SegmentRead work = new(
                Group, new Segment("g", index.Summary, index),
                new SegmentQuestion(SegmentQuestionKind.FollowerEntries, 0, new LogIndex(1), 0, 0, new LogIndex(1), 100), read, static _ => { });
            work.Execute(disk);
            work.Complete();
            Assert.Equal(LogReadStatus.Damaged, read.Status);
        }
    }

    private static CheckpointHead Head() => new(
        Group, new LogIndex(9), new Term(4), Membership.None, 20, new LogIndex(1), 0,
        [new TermStart(new Term(1), new LogIndex(1), 0), new TermStart(new Term(4), new LogIndex(5), 7)]);

    private static byte[] Stored(CheckpointHead head)
    {
        byte[] bytes = CheckpointCodec.EncodeHead(new Checkpoint(head, 1, ReadOnlyMemory<byte>.Empty));
        return [.. bytes, .. SHA256.HashData(bytes)];
    }
}
