using System.Buffers.Binary;
using System.Security.Cryptography;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Mutation;
using RaftMq.Raft;
using RaftMq.Storage;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Fuzz.Formats;

/// <summary>Checkpoint files, which also travel between nodes.</summary>
internal sealed class CheckpointFormat : FuzzFormat
{
    public override string Name => "checkpoints";

    public override IReadOnlyList<string> Parsers => ["RaftMq.Storage.Checkpoints.CheckpointCodec::TryDecode", "RaftMq.Raft.MembershipCodec"];

    public override IEnumerable<byte[]> Seeds()
    {
        TermStart[] terms = [new(new Term(1), new LogIndex(1), 0), new(new Term(4), new LogIndex(9), 20)];
        yield return Sealed(new Checkpoint(
            new CheckpointHead(Samples.Group, new LogIndex(12), new Term(4), Samples.Joint(), 33, new LogIndex(3), 7, terms), 1, new byte[70]));
        yield return Sealed(new Checkpoint(
            new CheckpointHead(Samples.Group, LogIndex.Zero, Term.Zero, Membership.None, 0, new LogIndex(1), 0, []), 1, ReadOnlyMemory<byte>.Empty));
    }

    public override void Run(byte[] input)
    {
        Checkpoint? read = CheckpointCodec.TryDecode(input, Samples.Group);
        ReadDone();
        if (read is null)
        {
            return;
        }

        Oracle.Same(Checksums.WithReservedZero(input, OfThisLife), Sealed(read), "there is one form per checkpoint");
        CheckpointHead head = read.Head;
        Oracle.Holds(head.LastIndex >= LogIndex.Zero && head.LastTerm >= Term.Zero && head.NextOffset >= 0, "a checkpoint's place is possible");
        Oracle.Holds(
            head.LogStartIndex >= LogIndex.Zero && head.LogStartOffset >= 0, "a checkpoint's log start is possible");
        for (int i = 0; i < head.Terms.Count; i++)
        {
            Oracle.Holds(
                head.Terms[i].Term >= Term.Zero && head.Terms[i].FirstOffset >= 0
                && (i == 0 || (head.Terms[i].Term > head.Terms[i - 1].Term && head.Terms[i].First > head.Terms[i - 1].First)),
                "a checkpoint's terms ascend");
        }
    }

    public override void Repair(byte[] input, FuzzRandom random) => Mend(input);

    /// <summary>A checkpoint of another life of the group is taken for this one's.</summary>
    private static void OfThisLife(byte[] input)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(input.AsSpan(8), Samples.Group.Value);
        Mend(input);
    }

    private static void Mend(byte[] input)
    {
        if (input.Length >= CheckpointCodec.HashBytes)
        {
            SHA256.HashData(input.AsSpan()[..^CheckpointCodec.HashBytes], input.AsSpan()[^CheckpointCodec.HashBytes..]);
        }
    }

    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        if (CheckpointCodec.TryDecode(mutant, Samples.Group) is not null)
        {
            Oracle.Same(seed, mutant, "a changed checkpoint is refused");
        }
    }

    private static byte[] Sealed(Checkpoint checkpoint)
    {
        byte[] bytes = [.. CheckpointCodec.EncodeHead(checkpoint), .. checkpoint.State.Span];
        return [.. bytes, .. SHA256.HashData(bytes)];
    }
}

/// <summary>Index files of segments.</summary>
internal sealed class IndexFormat : FuzzFormat
{
    private static readonly LogIndex First = new(10);

    public override string Name => "indexes";

    public override IReadOnlyList<string> Parsers => ["RaftMq.Storage.Index.IndexFile::TryDecode", "RaftMq.Storage.Index.SparseIndex"];

    public override IEnumerable<byte[]> Seeds()
    {
        SparseIndex small = new(First, 5);
        SparseIndex large = new(First, 0);
        foreach (byte[] entry in Samples.Log(First.Value, 8, term: 2))
        {
            EntryHeader header = EntryLayout.ReadUnchecked(entry);
            large.Add(header with { LengthBytes = SparseIndex.PointEveryBytes });
            if (header.Index == First)
            {
                small.Add(header with { BaseOffset = 5 });
            }
        }

        return [IndexFile.Encode(Samples.Group, small), IndexFile.Encode(Samples.Group, large)];
    }

    public override void Run(byte[] input)
    {
        SparseIndex? read = IndexFile.TryDecode(input, Samples.Group, First);
        if (read is not null)
        {
            _ = read.ForIndex(new LogIndex(12));
            _ = read.ForOffset(3);
            _ = read.ForTimestamp(1_700_000_000_011);
        }

        ReadDone();
        if (read is not null)
        {
            Oracle.Same(Checksums.WithReservedZero(input, static bytes => Checksums.MendTrailer(bytes)), IndexFile.Encode(Samples.Group, read), "there is one form per index");
        }
    }

    public override void Repair(byte[] input, FuzzRandom random) => Checksums.MendTrailer(input);

    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        if (IndexFile.TryDecode(mutant, Samples.Group, First) is not null)
        {
            Oracle.Same(seed, mutant, "a changed index is refused");
        }
    }
}

/// <summary>The file that makes a folder a group's.</summary>
internal sealed class GroupMetaFormat : FuzzFormat
{
    public override string Name => "group-meta";

    public override IReadOnlyList<string> Parsers => ["RaftMq.Storage.Recovery.GroupMeta::TryDecode", "RaftMq.Raft.MembershipCodec"];

    public override IEnumerable<byte[]> Seeds() =>
    [
        new GroupMeta(Samples.Group, "orders-0", Membership.Of(Samples.Replicas(1, 2, 3))).Encode(),
        new GroupMeta(Samples.Group, "größe", Samples.Joint()).Encode(),
        new GroupMeta(Samples.Group, "", Membership.None).Encode(),
    ];

    public override void Run(byte[] input)
    {
        GroupMeta? read = GroupMeta.TryDecode(input);
        ReadDone();
        if (read is not null)
        {
            Oracle.Same(
                Checksums.WithReservedZero(input, static bytes => Checksums.MendTrailer(bytes)), read.Encode(), "there is one form per group's file");
            Oracle.Holds(GroupMeta.GroupOf(read.Folder) == read.Group, "a folder's name says whose it is");
        }
    }

    public override void Repair(byte[] input, FuzzRandom random) => Checksums.MendTrailer(input);

    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        if (GroupMeta.TryDecode(mutant) is not null)
        {
            Oracle.Same(seed, mutant, "a changed file is refused");
        }
    }
}

/// <summary>The three small files at the top of a data folder: identity, boot number, journal mark. The first byte says which.</summary>
internal sealed class StoreIdentityFormat : FuzzFormat
{
    public override string Name => "store-identity";

    public override IReadOnlyList<string> Parsers => ["RaftMq.Storage.Files.IdentityLayout", "RaftMq.Storage.Journal.JournalMark", "RaftMq.Storage.Journal.JournalMarkFile::TryOpen"];

    public override int InputBytesMax => 1 + JournalMarkFile.FileBytes;

    public override bool KeepsLength => true;

    /// <summary>Reading the mark opens a disk.</summary>
    public override long AllocatedBytesMax(int inputBytes) => (4L * inputBytes) + (16 << 10);

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] marks = new byte[JournalMarkFile.FileBytes];
        new JournalMark(3, 4).Encode(Samples.Store, 7).CopyTo(marks, 0);
        new JournalMark(3, 5).Encode(Samples.Store, 8).CopyTo(marks, JournalMarkFile.PlaceBytes);
        return
        [
            [0, .. IdentityLayout.WriteIdentity(new NodeId(3), Samples.Store)],
            [1, .. IdentityLayout.WriteBoot(Samples.Store, 17)],
            [2, .. marks],
        ];
    }

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        ReadOnlySpan<byte> file = input.AsSpan(1);
        switch (input[0] % 3)
        {
            case 0 when IdentityLayout.TryReadIdentity(file, out IdentityContent identity):
                ReadDone();
                Oracle.Holds(
                    HoldsPart(file, BitConverter.GetBytes((long)identity.Node.Value)) && HoldsPart(file, StoreBytes(identity.Store)),
                    "an identity is one that stands there");
                break;
            case 1 when IdentityLayout.TryReadBoot(file, Samples.Store, out long boot):
                ReadDone();
                Oracle.Holds(HoldsPart(file, BitConverter.GetBytes(boot)), "a boot number is one that stands there");
                break;
            case 2:
                Disk.FuzzDisk disk = new();
                disk.Put(JournalMarkFile.Path, file.ToArray());
                JournalMarkFile? mark = JournalMarkFile.TryOpen(disk, Samples.Store);
                ReadDone();
                Oracle.Holds(mark is null || HoldsPart(file, BitConverter.GetBytes(mark.Mark.NewestFile)), "a mark is one that stands there");
                break;
        }
    }

    public override void Repair(byte[] input, FuzzRandom random)
    {
        if (input.Length == 0)
        {
            return;
        }

        Mend(input.AsSpan(1), input[0] % 3 == 2 ? JournalMarkFile.PlaceBytes : IdentityLayout.SectorBytes);
    }

    /// <summary>Of each place where a copy may lie.</summary>
    internal static void Mend(Span<byte> file, int step)
    {
        for (int at = 0; at + IdentityLayout.ContentBytes <= file.Length; at += step)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file[(at + 4)..], Crc32C.Compute(file.Slice(at + 8, IdentityLayout.ContentBytes - 8)));
        }
    }

    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        if (mutant.Length == 0 || mutant[0] != seed[0])
        {
            return;
        }

        switch (mutant[0])
        {
            case 0 when IdentityLayout.TryReadIdentity(mutant.AsSpan(1), out IdentityContent identity):
                Oracle.Holds(identity == new IdentityContent(IdentityLayout.Version, new NodeId(3), Samples.Store), "a changed identity is refused");
                break;
            case 1 when IdentityLayout.TryReadBoot(mutant.AsSpan(1), Samples.Store, out long boot):
                Oracle.Holds(boot == 17, "a changed boot number is refused");
                break;
        }
    }

    private static byte[] StoreBytes(StoreId store)
    {
        byte[] bytes = new byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, store.Value);
        return bytes;
    }

    private static bool HoldsPart(ReadOnlySpan<byte> file, ReadOnlySpan<byte> part) => file.IndexOf(part) >= 0;
}
