using RaftMq.Broker.Groups;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Mutation;
using RaftMq.Kafka.Groups;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Fuzz.Formats;

/// <summary>Entries of consumer groups: one form each, applied to a state that has groups.</summary>
internal sealed class GroupEntryFormat : FuzzFormat
{
    public override string Name => "group-entries";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Broker.Groups.GroupEntryCodec", "RaftMq.Broker.Groups.GroupReader", "RaftMq.Broker.Encoding.ByteReader",
        "RaftMq.Broker.Groups.GroupStateMachine::Apply",
    ];

    public static GroupEntry[] All()
    {
        ConsumerGroupId group = new("payments");
        KeyValuePair<OffsetKey, CommittedOffset>[] offsets =
        [
            new(new OffsetKey("orders", 0), new CommittedOffset(17, 3, "meta", 1_700_000_000_000, 5)),
            new(new OffsetKey("orders", 1), new CommittedOffset(0, -1, "", 1, 0)),
        ];
        return
        [
            new GroupEntry.OffsetsCommitted(group, offsets),
            new GroupEntry.GroupChanged(group, Samples.GroupRecord()),
            new GroupEntry.GroupChanged(
                new ConsumerGroupId("empty"), new GroupRecord(new Generation(2), GroupPhase.Empty, "consumer", "", MemberId.None, 5, [])),
            new GroupEntry.OffsetsDeleted(group, [new OffsetKey("orders", 1)]),
            new GroupEntry.TopicOffsetsDeleted("orders", 5),
            new GroupEntry.GroupDeleted(new ConsumerGroupId("empty")),
        ];
    }

    public static GroupStateMachine State()
    {
        GroupStateMachine state = new();
        Array.ForEach(All()[..3], state.Apply);
        return state;
    }

    public override IEnumerable<byte[]> Seeds() => All().Select(GroupEntryCodec.Encode);

    public override void Run(byte[] input)
    {
        bool read = GroupEntryCodec.TryDecode(input, out GroupEntry? entry, out GroupDecodeFault fault);
        ReadDone();
        Oracle.Holds(read == fault is GroupDecodeFault.None && read == entry is not null, "a refusal has a reason");
        if (read)
        {
            Oracle.Same(input, GroupEntryCodec.Encode(entry!), "one entry has one form");
            GroupStateMachine state = State();
            state.Apply(entry!);
            GroupSnapshotFormat.CheckSnapshot(state.WriteSnapshot());
        }
    }

    public override void Repair(byte[] input, FuzzRandom random) => Checksums.MendTrailer(input);

    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        if (GroupEntryCodec.TryDecode(mutant, out _, out _))
        {
            Oracle.Same(seed, mutant, "a changed entry is refused");
        }
    }
}

/// <summary>The state of consumer groups as checkpoints hold it.</summary>
internal sealed class GroupSnapshotFormat : FuzzFormat
{
    public override string Name => "group-snapshot";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Broker.Groups.GroupStateMachine::TryReadSnapshot", "RaftMq.Broker.Groups.GroupStateMachine::ReadGroups",
        "RaftMq.Broker.Groups.GroupReader", "RaftMq.Broker.Groups.GroupEntryCodec::ReadRecord", "RaftMq.Broker.Groups.GroupEntryCodec::ReadMember",
        "RaftMq.Broker.Groups.GroupEntryCodec::ReadOffsets", "RaftMq.Broker.Groups.GroupEntryCodec::IsSound",
    ];

    public static void CheckSnapshot(byte[] snapshot)
    {
        Oracle.Holds(GroupStateMachine.TryReadSnapshot(snapshot, out GroupStateMachine? state, out _), "a state that was written can be read");
        Oracle.Same(snapshot, state!.WriteSnapshot(), "a state has one form");
    }

    public override IEnumerable<byte[]> Seeds() => [new GroupStateMachine().WriteSnapshot(), GroupEntryFormat.State().WriteSnapshot()];

    public override void Run(byte[] input)
    {
        bool read = GroupStateMachine.TryReadSnapshot(input, out GroupStateMachine? state, out GroupDecodeFault fault);
        ReadDone();
        Oracle.Holds(read == fault is GroupDecodeFault.None && read == state is not null, "a refusal has a reason");
        if (read)
        {
            Oracle.Same(input, state!.WriteSnapshot(), "a state has one form");
        }
    }

    public override void Repair(byte[] input, FuzzRandom random) => Checksums.MendTrailer(input);

    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        if (GroupStateMachine.TryReadSnapshot(mutant, out _, out _))
        {
            Oracle.Same(seed, mutant, "a changed snapshot is refused");
        }
    }
}

/// <summary>What consumers join a group with, which the coordinator reads for the topics.</summary>
internal sealed class SubscriptionFormat : FuzzFormat
{
    private readonly SubscriptionReader _reader = new();

    public override string Name => "subscriptions";

    public override IReadOnlyList<string> Parsers =>
        ["RaftMq.Kafka.Groups.SubscriptionReader", "RaftMq.Kafka.Wire.Messages.ConsumerProtocolSubscription", "RaftMq.Kafka.Wire.KafkaReader"];

    public override IEnumerable<byte[]> Seeds()
    {
        MessageSchema schema = ConsumerProtocolSubscription.Schema;
        for (int version = schema.VersionMin; version <= schema.VersionMax; version++)
        {
            using KafkaWriter writer = new();
            writer.WriteInt16((short)version);
            ((IKafkaMessage)MessageSamples.Filled(typeof(ConsumerProtocolSubscription), new FuzzRandom((ulong)version))).Write(writer, version);
            yield return writer.ToArray();
        }
    }

    public override void Run(byte[] input)
    {
        SortedSet<string> topics = new(StringComparer.Ordinal);
        bool read = _reader.TryReadTopics("consumer", input, topics);
        ReadDone();
        Oracle.Holds(read || topics.Count == 0, "what can't be read names no topics");
    }
}
