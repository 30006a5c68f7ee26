using System.Buffers.Binary;

namespace RaftMq.Raft;

/// <summary>
/// The byte form of a <see cref="Membership"/>, stored and sent; little-endian. docs/on-disk.md shows it byte by byte.
/// <code>
/// 0  u8   version (1)
/// 1  u8   voters
/// 2  u8   outgoing voters
/// 3  u8   learners
/// 4  per replica, in this order: i32 node id, u128 store id
/// </code>
/// There is one form per membership: a list that is not strictly ascending by node is refused, and so are bytes left over.
/// </summary>
public static class MembershipCodec
{
    public const byte Version = 1;

    /// <summary>Replicas in one list. A group of more voters would be slower and no safer; learners come and go one by one.</summary>
    public const int MembersMax = 32;

    private const int HeaderBytes = 4;
    private const int ReplicaBytes = 20;

    public static int SizeOf(Membership membership) =>
        HeaderBytes + ReplicaBytes * (membership.Voters.Count + membership.OutgoingVoters.Count + membership.Learners.Count);

    /// <summary>Writes exactly <see cref="SizeOf"/> bytes to the start of <paramref name="into"/> and returns their number.</summary>
    public static int Write(Membership membership, Span<byte> into)
    {
        into[0] = Version;
        into[1] = checked((byte)membership.Voters.Count);
        into[2] = checked((byte)membership.OutgoingVoters.Count);
        into[3] = checked((byte)membership.Learners.Count);
        int at = HeaderBytes;
        at = WriteList(membership.Voters, into, at);
        at = WriteList(membership.OutgoingVoters, into, at);
        at = WriteList(membership.Learners, into, at);
        Invariant.Holds(TryRead(into[..at], out _));
        return at;
    }

    public static byte[] ToBytes(Membership membership)
    {
        byte[] bytes = new byte[SizeOf(membership)];
        Write(membership, bytes);
        return bytes;
    }

    /// <summary>Reads a membership that fills <paramref name="bytes"/> exactly. Any bytes may come in; false means "not one".</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Membership membership)
    {
        membership = Membership.None;
        if (bytes.Length < HeaderBytes || bytes[0] != Version)
        {
            return false;
        }

        int voters = bytes[1];
        int outgoing = bytes[2];
        int learners = bytes[3];
        if (voters > MembersMax || outgoing > MembersMax || learners > MembersMax
            || bytes.Length != HeaderBytes + ReplicaBytes * (voters + outgoing + learners)
            || (voters == 0 && outgoing + learners > 0))
        {
            return false;
        }

        int at = HeaderBytes;
        if (!TryReadList(bytes, voters, ref at, out ReplicaId[] voterList)
            || !TryReadList(bytes, outgoing, ref at, out ReplicaId[] outgoingList)
            || !TryReadList(bytes, learners, ref at, out ReplicaId[] learnerList))
        {
            return false;
        }

        membership = new Membership(voterList, outgoingList, learnerList);
        return true;
    }

    /// <summary>There is a form for it: what is received in another form than this one's and then stored must be asked first.</summary>
    public static bool HasForm(Membership membership) =>
        IsList(membership.Voters) && IsList(membership.OutgoingVoters) && IsList(membership.Learners)
        && (membership.Voters.Count > 0 || membership.OutgoingVoters.Count + membership.Learners.Count == 0);

    private static bool IsList(IReadOnlyList<ReplicaId> list)
    {
        for (int i = 1; i < list.Count; i++)
        {
            if (list[i].Node.CompareTo(list[i - 1].Node) <= 0)
            {
                return false;
            }
        }

        return list.Count <= MembersMax;
    }

    private static int WriteList(IReadOnlyList<ReplicaId> list, Span<byte> into, int at)
    {
        for (int i = 0; i < list.Count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(into[at..], list[i].Node.Value);
            BinaryPrimitives.WriteUInt128LittleEndian(into[(at + 4)..], list[i].Store.Value);
            at += ReplicaBytes;
        }

        return at;
    }

    private static bool TryReadList(ReadOnlySpan<byte> bytes, int count, ref int at, out ReplicaId[] list)
    {
        list = new ReplicaId[count];
        for (int i = 0; i < count; i++)
        {
            NodeId node = new(BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]));
            StoreId store = new(BinaryPrimitives.ReadUInt128LittleEndian(bytes[(at + 4)..]));
            at += ReplicaBytes;
            if (i > 0 && node.CompareTo(list[i - 1].Node) <= 0)
            {
                return false;
            }

            list[i] = new ReplicaId(node, store);
        }

        return true;
    }
}
