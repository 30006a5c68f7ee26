using System.Diagnostics.CodeAnalysis;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Groups;

/// <summary>
/// The replicated state of one partition of the offsets topic: groups and their committed offsets. Every replica has one and applies the
/// same entries in the same order; the leader's <see cref="GroupCoordinator"/> reads it.
/// </summary>
public sealed class GroupStateMachine
{
    public const byte SnapshotVersion = 1;

    private const int GroupBytesMin = 4 + 1 + 4;

    // So that a record and an offset never hash the same bytes.
    private const byte HashedOffset = 0;
    private const byte HashedRecord = 1;

    private readonly SortedDictionary<ConsumerGroupId, GroupState> _groups = [];
    private readonly ByteWriter _hashed = new();

    /// <summary>
    /// Equal on replicas that applied the same entries. The sum of a hash of each record and each offset, so that an entry costs
    /// what it changes and the order of arrival does not matter.
    /// </summary>
    public ulong StateHash { get; private set; }

    public int GroupCount => _groups.Count;

    /// <summary>Offsets over all groups.</summary>
    public int OffsetCount { get; private set; }

    /// <summary>Sorted by group id.</summary>
    public IReadOnlyDictionary<ConsumerGroupId, GroupState> Groups => _groups;

    public bool TryGetGroup(ConsumerGroupId id, [NotNullWhen(true)] out GroupState? group) =>
        _groups.TryGetValue(id, out group);

    /// <summary>Null when the group has no offset there, or only one of another incarnation of the topic.</summary>
    public CommittedOffset? FindOffset(ConsumerGroupId group, OffsetKey key, UInt128 topicId) =>
        _groups.TryGetValue(group, out GroupState? state)
        && state.Offsets.TryGetValue(key, out CommittedOffset? offset)
        && offset.SpeaksOf(topicId)
            ? offset
            : null;

    /// <summary>
    /// Applies the payload of a committed entry. It was encoded by a leader of a finalised version and guarded on its way, so bytes that
    /// do not decode are a bug.
    /// </summary>
    public void Apply(ReadOnlySpan<byte> payload)
    {
        bool decoded = GroupEntryCodec.TryDecode(payload, out GroupEntry? entry, out GroupDecodeFault fault);
        Invariant.Holds(decoded, $"group entry decodes ({fault})");
        Apply(entry!);
    }

    public void Apply(GroupEntry entry)
    {
        switch (entry)
        {
            case GroupEntry.OffsetsCommitted committed:
                GroupState group = GetOrAdd(committed.Group);
                foreach ((OffsetKey key, CommittedOffset offset) in committed.Offsets)
                {
                    SetOffset(committed.Group, group, key, offset);
                }

                break;
            case GroupEntry.OffsetsDeleted deleted:
                DeleteOffsets(deleted.Group, deleted.Offsets);
                break;
            case GroupEntry.GroupChanged changed:
                SetRecord(changed.Group, GetOrAdd(changed.Group), changed.Record);
                break;
            case GroupEntry.GroupDeleted deleted:
                DeleteGroup(deleted.Group);
                break;
            case GroupEntry.TopicOffsetsDeleted deleted:
                DeleteTopic(deleted);
                break;
            default:
                Invariant.Holds(false, "group entry kind is known");
                break;
        }
    }

    /// <summary>
    /// Appends the whole state: version, groups sorted by id (id, record, offsets sorted by key), state hash, CRC-32C. The same state
    /// gives the same bytes.
    /// </summary>
    public byte[] WriteSnapshot()
    {
        ByteWriter writer = new();
        writer.Byte(SnapshotVersion);
        writer.Int32(_groups.Count);
        foreach ((ConsumerGroupId id, GroupState group) in _groups)
        {
            writer.Text(id.Value);
            writer.Bool(group.Record is not null);
            if (group.Record is not null)
            {
                GroupEntryCodec.WriteRecord(writer, group.Record);
            }

            GroupEntryCodec.WriteOffsets(writer, group.Offsets);
        }

        writer.Int64(unchecked((long)StateHash));
        return GroupEntryCodec.Seal(writer);
    }

    /// <summary>The state that <see cref="WriteSnapshot"/> wrote; any bytes may come in.</summary>
    public static bool TryReadSnapshot(
        ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out GroupStateMachine? machine, out GroupDecodeFault fault)
    {
        machine = null;
        fault = GroupEntryCodec.CheckEnvelope(bytes, SnapshotVersion);
        if (fault != GroupDecodeFault.None)
        {
            return false;
        }

        GroupStateMachine read = new();
        GroupReader reader = new(bytes[1..^sizeof(uint)]);
        read.ReadGroups(ref reader);
        ulong stateHash = unchecked((ulong)reader.Int64());
        reader.RequireEnd();
        if (stateHash != read.StateHash)
        {
            reader.Fail(GroupDecodeFault.StateHash);
        }

        fault = reader.Fault;
        machine = reader.Ok ? read : null;
        return reader.Ok;
    }

    private void ReadGroups(ref GroupReader reader)
    {
        int count = reader.Count(GroupBytesMin);
        ConsumerGroupId previous = default;
        for (int i = 0; i < count && reader.Ok; i++)
        {
            ConsumerGroupId id = new(reader.Text());
            reader.Require(i == 0 || previous.CompareTo(id) < 0);
            previous = id;
            GroupRecord? record = reader.Flag() ? GroupEntryCodec.ReadRecord(ref reader) : null;
            KeyValuePair<OffsetKey, CommittedOffset>[] offsets = GroupEntryCodec.ReadOffsets(ref reader, sorted: true);
            if (!reader.Ok)
            {
                return;
            }

            GroupState group = GetOrAdd(id);
            if (record is not null)
            {
                SetRecord(id, group, record);
            }

            foreach ((OffsetKey key, CommittedOffset offset) in offsets)
            {
                SetOffset(id, group, key, offset);
            }
        }
    }

    private GroupState GetOrAdd(ConsumerGroupId id)
    {
        if (!_groups.TryGetValue(id, out GroupState? group))
        {
            group = new GroupState();
            _groups.Add(id, group);
        }

        return group;
    }

    private void SetRecord(ConsumerGroupId id, GroupState group, GroupRecord record)
    {
        Invariant.Holds(GroupEntryCodec.IsSound(record));
        StateHash -= group.RecordHash;
        group.Record = record;
        group.RecordHash = Hash(id, record);
        StateHash += group.RecordHash;
    }

    private void SetOffset(ConsumerGroupId id, GroupState group, OffsetKey key, CommittedOffset offset)
    {
        if (group.Offsets.TryGetValue(key, out CommittedOffset? before))
        {
            StateHash -= Hash(id, key, before);
            OffsetCount--;
        }

        group.Offsets[key] = offset;
        StateHash += Hash(id, key, offset);
        OffsetCount++;
    }

    private void DeleteOffset(ConsumerGroupId id, GroupState group, OffsetKey key)
    {
        if (group.Offsets.Remove(key, out CommittedOffset? before))
        {
            StateHash -= Hash(id, key, before);
            OffsetCount--;
        }
    }

    private void DeleteOffsets(ConsumerGroupId id, OffsetKey[] keys)
    {
        if (!_groups.TryGetValue(id, out GroupState? group))
        {
            return;
        }

        foreach (OffsetKey key in keys)
        {
            DeleteOffset(id, group, key);
        }

        ForgetIfNothingIsLeft(id, group);
    }

    private void DeleteGroup(ConsumerGroupId id)
    {
        if (!_groups.Remove(id, out GroupState? group))
        {
            return;
        }

        StateHash -= group.RecordHash;
        foreach ((OffsetKey key, CommittedOffset offset) in group.Offsets)
        {
            StateHash -= Hash(id, key, offset);
        }

        OffsetCount -= group.Offsets.Count;
    }

    private void DeleteTopic(GroupEntry.TopicOffsetsDeleted deleted)
    {
        List<OffsetKey> keys = [];
        List<ConsumerGroupId> ids = [.. _groups.Keys];
        foreach (ConsumerGroupId id in ids)
        {
            GroupState group = _groups[id];
            keys.Clear();
            foreach ((OffsetKey key, CommittedOffset offset) in group.Offsets)
            {
                if (key.Topic == deleted.Topic && offset.SpeaksOf(deleted.TopicId))
                {
                    keys.Add(key);
                }
            }

            foreach (OffsetKey key in keys)
            {
                DeleteOffset(id, group, key);
            }

            ForgetIfNothingIsLeft(id, group);
        }
    }

    /// <summary>
    /// A group that only ever stored offsets ends with the last of them. One that had members stays, so that its generations go on
    /// counting, until it is deleted.
    /// </summary>
    private void ForgetIfNothingIsLeft(ConsumerGroupId id, GroupState group)
    {
        if (group.Record is null && group.Offsets.Count == 0)
        {
            _groups.Remove(id);
        }
    }

    private ulong Hash(ConsumerGroupId id, GroupRecord record)
    {
        _hashed.Clear();
        _hashed.Byte(HashedRecord);
        _hashed.Text(id.Value);
        GroupEntryCodec.WriteRecord(_hashed, record);
        return StableHash.Compute(_hashed.Written);
    }

    private ulong Hash(ConsumerGroupId id, OffsetKey key, CommittedOffset offset)
    {
        _hashed.Clear();
        _hashed.Byte(HashedOffset);
        _hashed.Text(id.Value);
        GroupEntryCodec.WriteKey(_hashed, key);
        GroupEntryCodec.WriteOffset(_hashed, offset);
        return StableHash.Compute(_hashed.Written);
    }
}
