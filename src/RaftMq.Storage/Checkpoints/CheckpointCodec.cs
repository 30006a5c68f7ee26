using System.Buffers.Binary;
using System.Security.Cryptography;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Checkpoints;

/// <summary>
/// The stored and sent form of a checkpoint; docs/on-disk.md shows it byte by byte. Little-endian.
/// <code>
///   0  u32  "RMQC"
///   4  u16  version (1)
///   6  u16  zero
///   8  u128 group incarnation
///  24  i64  last index
///  32  i32  last term
///  36  i32  version of the state
///  40  i64  next offset
///  48  i64  log start index
///  56  i64  log start offset
///  64  u32  bytes of the membership
///  68  u32  number of term starts
///  72  i64  bytes of the state
///  80  membership, term starts of 20 bytes (i32 term, i64 first index, i64 first offset), state
///  ..  32 bytes SHA-256 of everything before
/// </code>
/// </summary>
internal static class CheckpointCodec
{
    public const uint Magic = 0x43514D52;
    public const ushort Version = 1;
    public const int HeaderBytes = 80;
    public const int TermBytes = 20;
    public const int HashBytes = 32;

    /// <summary>State is held in one array; larger states wait for shared runs.</summary>
    public const int CheckpointBytesMax = 1 << 30;

    /// <summary>Everything but state and hash.</summary>
    public static byte[] EncodeHead(Checkpoint checkpoint)
    {
        CheckpointHead head = checkpoint.Head;
        byte[] membership = MembershipCodec.ToBytes(head.Membership);
        byte[] bytes = new byte[HeaderBytes + membership.Length + (head.Terms.Count * TermBytes)];
        Span<byte> span = bytes;
        BinaryPrimitives.WriteUInt32LittleEndian(span, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(span[4..], Version);
        BinaryPrimitives.WriteUInt128LittleEndian(span[8..], head.Group.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[24..], head.LastIndex.Value);
        BinaryPrimitives.WriteInt32LittleEndian(span[32..], head.LastTerm.Value);
        BinaryPrimitives.WriteInt32LittleEndian(span[36..], checkpoint.StateVersion);
        BinaryPrimitives.WriteInt64LittleEndian(span[40..], head.NextOffset);
        BinaryPrimitives.WriteInt64LittleEndian(span[48..], head.LogStartIndex.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[56..], head.LogStartOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(span[64..], (uint)membership.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(span[68..], (uint)head.Terms.Count);
        BinaryPrimitives.WriteInt64LittleEndian(span[72..], checkpoint.State.Length);
        membership.CopyTo(span[HeaderBytes..]);
        int at = HeaderBytes + membership.Length;
        foreach (TermStart start in head.Terms)
        {
            BinaryPrimitives.WriteInt32LittleEndian(span[at..], start.Term.Value);
            BinaryPrimitives.WriteInt64LittleEndian(span[(at + 4)..], start.First.Value);
            BinaryPrimitives.WriteInt64LittleEndian(span[(at + 12)..], start.FirstOffset);
            at += TermBytes;
        }

        return bytes;
    }

    /// <summary>Any bytes may come in. Null: not a whole, undamaged checkpoint of this group.</summary>
    public static Checkpoint? TryDecode(ReadOnlyMemory<byte> memory, GroupId group)
    {
        ReadOnlySpan<byte> bytes = memory.Span;
        if (bytes.Length < HeaderBytes + HashBytes)
        {
            return null;
        }

        Span<byte> hash = stackalloc byte[HashBytes];
        SHA256.HashData(bytes[..^HashBytes], hash);
        if (!hash.SequenceEqual(bytes[^HashBytes..])
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) != Version
            || !new GroupId(BinaryPrimitives.ReadUInt128LittleEndian(bytes[8..])).IsLifeOf(group))
        {
            return null;
        }

        long membershipBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[64..]);
        long termCount = BinaryPrimitives.ReadUInt32LittleEndian(bytes[68..]);
        long stateBytes = BinaryPrimitives.ReadInt64LittleEndian(bytes[72..]);
        if (stateBytes < 0
            || stateBytes > bytes.Length
            || HeaderBytes + membershipBytes + (termCount * TermBytes) + stateBytes + HashBytes != bytes.Length
            || !MembershipCodec.TryRead(bytes.Slice(HeaderBytes, (int)membershipBytes), out Membership membership))
        {
            return null;
        }

        int at = HeaderBytes + (int)membershipBytes;
        List<TermStart> terms = new((int)termCount);
        for (int i = 0; i < termCount; i++, at += TermBytes)
        {
            terms.Add(new TermStart(
                new Term(BinaryPrimitives.ReadInt32LittleEndian(bytes[at..])),
                new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(bytes[(at + 4)..])),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[(at + 12)..])));
        }

        CheckpointHead head = new(
            group,
            new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
            new Term(BinaryPrimitives.ReadInt32LittleEndian(bytes[32..])),
            membership,
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(bytes[48..])),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[56..]),
            terms);
        return IsPossible(head)
            ? new Checkpoint(head, BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]), memory.Slice(at, (int)stateBytes))
            : null;
    }

    /// <summary>It also comes from other nodes, with a hash that fits whatever they wrote.</summary>
    private static bool IsPossible(CheckpointHead head)
    {
        for (int i = 0; i < head.Terms.Count; i++)
        {
            TermStart start = head.Terms[i];
            if (start.Term < Term.Zero || start.First < LogIndex.Zero || start.FirstOffset < 0
                || (i > 0 && (start.Term <= head.Terms[i - 1].Term || start.First <= head.Terms[i - 1].First)))
            {
                return false;
            }
        }

        return head.LastIndex >= LogIndex.Zero && head.LastTerm >= Term.Zero && head.NextOffset >= 0
            && head.LogStartIndex >= LogIndex.Zero && head.LogStartOffset >= 0;
    }
}
