using System.Buffers.Binary;
using RaftMq.Raft;

namespace RaftMq.Storage.Log;

/// <summary>The stored form of a membership: the payload of its entry and its place in checkpoints.</summary>
internal static class StoredMembership
{
    private const byte Version = 1;
    private const int ReplicaBytes = 20;

    /// <summary>A joint change of two full memberships stays far below this.</summary>
    private const int ReplicasMax = 1024;

    public static byte[] Encode(Membership membership)
    {
        int count = membership.Voters.Count + membership.OutgoingVoters.Count + membership.Learners.Count;
        byte[] bytes = new byte[1 + (3 * sizeof(ushort)) + (count * ReplicaBytes)];
        bytes[0] = Version;
        int at = 1;
        Write(bytes, ref at, membership.Voters);
        Write(bytes, ref at, membership.OutgoingVoters);
        Write(bytes, ref at, membership.Learners);
        return bytes;
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, out Membership? membership)
    {
        membership = null;
        if (bytes.Length < 1 || bytes[0] != Version)
        {
            return false;
        }

        int at = 1;
        if (!TryReadList(bytes, ref at, out List<ReplicaId> voters)
            || !TryReadList(bytes, ref at, out List<ReplicaId> outgoing)
            || !TryReadList(bytes, ref at, out List<ReplicaId> learners)
            || at != bytes.Length)
        {
            return false;
        }

        membership = new Membership(voters, outgoing, learners);
        return true;
    }

    private static void Write(Span<byte> bytes, ref int at, IReadOnlyList<ReplicaId> replicas)
    {
        Invariant.Holds(replicas.Count <= ReplicasMax);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[at..], (ushort)replicas.Count);
        at += sizeof(ushort);
        for (int i = 0; i < replicas.Count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes[at..], replicas[i].Node.Value);
            BinaryPrimitives.WriteUInt128LittleEndian(bytes[(at + sizeof(int))..], replicas[i].Store.Value);
            at += ReplicaBytes;
        }
    }

    private static bool TryReadList(ReadOnlySpan<byte> bytes, ref int at, out List<ReplicaId> replicas)
    {
        replicas = [];
        if (bytes.Length - at < sizeof(ushort))
        {
            return false;
        }

        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
        at += sizeof(ushort);
        if (count > ReplicasMax || bytes.Length - at < count * ReplicaBytes)
        {
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            replicas.Add(new ReplicaId(
                new NodeId(BinaryPrimitives.ReadInt32LittleEndian(bytes[at..])),
                new StoreId(BinaryPrimitives.ReadUInt128LittleEndian(bytes[(at + sizeof(int))..]))));
            at += ReplicaBytes;
        }

        return true;
    }
}
