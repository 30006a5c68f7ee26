using System.Buffers.Binary;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;
using RaftMq.Storage;

namespace RaftMq.Broker.Groups;

/// <summary>
/// The bytes of a <see cref="GroupEntry"/>: version (1), kind, fields, CRC-32C of everything before. One entry has one form; whatever
/// else comes in is refused with its fault.
/// </summary>
public static class GroupEntryCodec
{
    public const byte Version = 1;

    private const byte OffsetsCommittedKind = 1;
    private const byte OffsetsDeletedKind = 2;
    private const byte GroupChangedKind = 3;
    private const byte GroupDeletedKind = 4;
    private const byte TopicOffsetsDeletedKind = 5;

    // The least an item can take (a text or bytes: its length alone); see ByteReader.Count.
    private const int OffsetKeyBytesMin = 4 + 4;
    private const int OffsetBytesMin = 8 + 4 + 4 + 8 + 16;
    private const int MemberBytesMin = 4 + 1 + 4 + 4 + 4 + 4 + 4 + 4;
    private const int ProtocolBytesMin = 4 + 4;
    private const int EnvelopeBytes = 2 + sizeof(uint);

    public static byte[] Encode(GroupEntry entry)
    {
        ByteWriter writer = new();
        writer.Byte(Version);
        switch (entry)
        {
            case GroupEntry.OffsetsCommitted committed:
                writer.Byte(OffsetsCommittedKind);
                writer.Text(committed.Group.Value);
                WriteOffsets(writer, committed.Offsets);
                break;
            case GroupEntry.OffsetsDeleted deleted:
                writer.Byte(OffsetsDeletedKind);
                writer.Text(deleted.Group.Value);
                writer.Int32(deleted.Offsets.Length);
                foreach (OffsetKey key in deleted.Offsets)
                {
                    WriteKey(writer, key);
                }

                break;
            case GroupEntry.GroupChanged changed:
                writer.Byte(GroupChangedKind);
                writer.Text(changed.Group.Value);
                WriteRecord(writer, changed.Record);
                break;
            case GroupEntry.GroupDeleted deleted:
                writer.Byte(GroupDeletedKind);
                writer.Text(deleted.Group.Value);
                break;
            case GroupEntry.TopicOffsetsDeleted deleted:
                writer.Byte(TopicOffsetsDeletedKind);
                writer.Text(deleted.Topic);
                writer.UInt128(deleted.TopicId);
                break;
            default:
                Invariant.Holds(false, "group entry kind is known");
                break;
        }

        return Seal(writer);
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, out GroupEntry? entry, out GroupDecodeFault fault)
    {
        entry = null;
        fault = CheckEnvelope(bytes, Version);
        if (fault != GroupDecodeFault.None)
        {
            return false;
        }

        GroupReader reader = new(bytes[1..^sizeof(uint)]);
        byte kind = reader.Byte();
        GroupEntry? read = kind switch
        {
            OffsetsCommittedKind => new GroupEntry.OffsetsCommitted(new(reader.Text()), ReadOffsets(ref reader, sorted: false)),
            OffsetsDeletedKind => new GroupEntry.OffsetsDeleted(new(reader.Text()), ReadKeys(ref reader)),
            GroupChangedKind => new GroupEntry.GroupChanged(new(reader.Text()), ReadRecord(ref reader)),
            GroupDeletedKind => new GroupEntry.GroupDeleted(new(reader.Text())),
            TopicOffsetsDeletedKind => new GroupEntry.TopicOffsetsDeleted(reader.Text(), reader.UInt128()),
            _ => null,
        };
        if (read is null)
        {
            reader.Fail(GroupDecodeFault.UnknownKind);
        }

        reader.RequireEnd();
        fault = reader.Fault;
        entry = reader.Ok ? read : null;
        return reader.Ok;
    }

    /// <summary>Length, checksum and version, in this order: a version is believed only when the checksum fits.</summary>
    internal static GroupDecodeFault CheckEnvelope(ReadOnlySpan<byte> bytes, byte version)
    {
        if (bytes.Length < EnvelopeBytes)
        {
            return GroupDecodeFault.Truncated;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]) != Crc32C.Compute(bytes[..^sizeof(uint)]))
        {
            return GroupDecodeFault.Checksum;
        }

        return bytes[0] == version ? GroupDecodeFault.None : GroupDecodeFault.UnknownVersion;
    }

    /// <summary>The written bytes with their checksum behind them.</summary>
    internal static byte[] Seal(ByteWriter writer)
    {
        writer.UInt32(Crc32C.Compute(writer.Written));
        return writer.ToArray();
    }

    internal static void WriteKey(ByteWriter writer, OffsetKey key)
    {
        writer.Text(key.Topic);
        writer.Int32(key.Partition);
    }

    internal static void WriteOffset(ByteWriter writer, CommittedOffset offset)
    {
        writer.Int64(offset.Offset);
        writer.Int32(offset.LeaderEpoch);
        writer.Text(offset.Metadata);
        writer.Int64(offset.CommittedAtMs);
        writer.UInt128(offset.TopicId);
    }

    internal static void WriteOffsets(
        ByteWriter writer, IReadOnlyCollection<KeyValuePair<OffsetKey, CommittedOffset>> offsets)
    {
        writer.Int32(offsets.Count);
        foreach ((OffsetKey key, CommittedOffset offset) in offsets)
        {
            WriteKey(writer, key);
            WriteOffset(writer, offset);
        }
    }

    /// <summary>With <paramref name="sorted"/>, each key must be greater than the one before.</summary>
    internal static KeyValuePair<OffsetKey, CommittedOffset>[] ReadOffsets(ref GroupReader reader, bool sorted)
    {
        KeyValuePair<OffsetKey, CommittedOffset>[] offsets =
            new KeyValuePair<OffsetKey, CommittedOffset>[reader.Count(OffsetKeyBytesMin + OffsetBytesMin)];
        for (int i = 0; i < offsets.Length && reader.Ok; i++)
        {
            OffsetKey key = ReadKey(ref reader);
            long offset = reader.NotNegativeInt64();
            int leaderEpoch = reader.Int32();
            reader.Require(leaderEpoch >= -1);
            offsets[i] = new(key, new(offset, leaderEpoch, reader.Text(), reader.Int64(), reader.UInt128()));
            reader.Require(!sorted || i == 0 || offsets[i - 1].Key.CompareTo(key) < 0);
        }

        return offsets;
    }

    internal static void WriteRecord(ByteWriter writer, GroupRecord record)
    {
        writer.Int32(record.Generation.Value);
        writer.Byte((byte)record.Phase);
        writer.Text(record.ProtocolType);
        writer.Text(record.ProtocolName);
        writer.Text(record.Leader.Value);
        writer.Int64(record.ChangedAtMs);
        writer.Int32(record.Members.Length);
        foreach (MemberRecord member in record.Members)
        {
            WriteMember(writer, member);
        }
    }

    internal static GroupRecord ReadRecord(ref GroupReader reader)
    {
        Generation generation = new(reader.NotNegativeInt32());
        GroupPhase phase = (GroupPhase)reader.Byte();
        reader.Require(phase is GroupPhase.Empty or GroupPhase.Syncing or GroupPhase.Stable);
        string protocolType = reader.Text();
        string protocolName = reader.Text();
        MemberId leader = new(reader.Text());
        long changedAtMs = reader.Int64();
        MemberRecord[] members = new MemberRecord[reader.Count(MemberBytesMin)];
        for (int i = 0; i < members.Length && reader.Ok; i++)
        {
            members[i] = ReadMember(ref reader);
        }

        GroupRecord record = new(generation, phase, protocolType, protocolName, leader, changedAtMs, members);
        reader.Require(!reader.Ok || IsSound(record));
        return record;
    }

    /// <summary>What a coordinator that goes on from the record relies on.</summary>
    internal static bool IsSound(GroupRecord record)
    {
        if (record.Phase == GroupPhase.Empty)
        {
            return record.Members.Length == 0 && record.Leader.IsNone && record.ProtocolName.Length == 0;
        }

        HashSet<MemberId> ids = [];
        HashSet<InstanceId> instances = [];
        foreach (MemberRecord member in record.Members)
        {
            if (member.Id.IsNone || !ids.Add(member.Id) || (member.Instance is { } instance && !instances.Add(instance)))
            {
                return false;
            }

            if (!Array.Exists(member.Protocols, protocol => protocol.Name == record.ProtocolName))
            {
                return false;
            }
        }

        return ids.Contains(record.Leader);
    }

    private static OffsetKey ReadKey(ref GroupReader reader) => new(reader.Text(), reader.NotNegativeInt32());

    private static OffsetKey[] ReadKeys(ref GroupReader reader)
    {
        OffsetKey[] keys = new OffsetKey[reader.Count(OffsetKeyBytesMin)];
        for (int i = 0; i < keys.Length && reader.Ok; i++)
        {
            keys[i] = ReadKey(ref reader);
        }

        return keys;
    }

    private static void WriteMember(ByteWriter writer, MemberRecord member)
    {
        writer.Text(member.Id.Value);
        writer.Bool(member.Instance is not null);
        if (member.Instance is { } instance)
        {
            writer.Text(instance.Value);
        }

        writer.Text(member.ClientId);
        writer.Text(member.ClientHost);
        writer.Int32(member.SessionTimeoutMs);
        writer.Int32(member.RebalanceTimeoutMs);
        writer.Int32(member.Protocols.Length);
        foreach (MemberProtocol protocol in member.Protocols)
        {
            writer.Text(protocol.Name);
            writer.Bytes(protocol.Metadata);
        }

        writer.Bytes(member.Assignment);
    }

    private static MemberRecord ReadMember(ref GroupReader reader)
    {
        MemberId id = new(reader.Text());
        InstanceId? instance = reader.Flag() ? new InstanceId(reader.Text()) : null;
        string clientId = reader.Text();
        string clientHost = reader.Text();
        int sessionTimeoutMs = reader.NotNegativeInt32();
        int rebalanceTimeoutMs = reader.NotNegativeInt32();
        MemberProtocol[] protocols = new MemberProtocol[reader.Count(ProtocolBytesMin)];
        for (int i = 0; i < protocols.Length && reader.Ok; i++)
        {
            protocols[i] = new(reader.Text(), reader.Bytes());
        }

        return new(id, instance, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols, reader.Bytes());
    }
}
