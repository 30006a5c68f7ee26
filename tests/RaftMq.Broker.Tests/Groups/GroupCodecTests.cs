using System.Runtime.CompilerServices;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage;

namespace RaftMq.Broker.Tests.Groups;

public sealed class GroupCodecTests
{
    private static readonly GroupRecord Stable = new(
        new(5),
        GroupPhase.Stable,
        "consumer",
        "range",
        new("m-1"),
        1_700_000_000_123,
        [
            new(new("m-1"), null, "c", "/h", 10_000, 60_000, [new("range", [1, 2]), new("sticky", [])], [9]),
            new(new("m-2"), new("i-ä"), "", "", 6_000, 1, [new("range", [3])], []),
        ]);

    private static readonly (string Name, GroupEntry Entry)[] Samples =
    [
        ("offsets-committed", new GroupEntry.OffsetsCommitted(
            new("g"),
            [
                new(new("t", 0), new(42, 7, "note ä", 1_700_000_000_000, new UInt128(1, 2))),
                new(new("t", 1), new(long.MaxValue, -1, "", 0, 0)),
            ])),
        ("offsets-deleted", new GroupEntry.OffsetsDeleted(new("g"), [new("t", 0), new("u", int.MaxValue)])),
        ("group-changed", new GroupEntry.GroupChanged(new("g"), Stable)),
        ("group-changed-empty", new GroupEntry.GroupChanged(
            new("g"), new(new(6), GroupPhase.Empty, "consumer", "", MemberId.None, 5, []))),
        ("group-deleted", new GroupEntry.GroupDeleted(new("g"))),
        ("topic-offsets-deleted", new GroupEntry.TopicOffsetsDeleted("t", new UInt128(1, 2))),
    ];

    [Fact]
    public void Version_1_entries_and_snapshot_are_read_and_written_for_ever_as_in_the_golden_file()
    {
        GroupStateMachine machine = SampleMachine();
        List<string> lines = [.. Samples.Select(s => $"{s.Name} {Convert.ToHexString(GroupEntryCodec.Encode(s.Entry))}")];
        lines.Add($"snapshot {Convert.ToHexString(machine.WriteSnapshot())}");
        string path = GoldenPath();
        if (System.Environment.GetEnvironmentVariable("RAFTMQ_GOLDEN") == "rewrite")
        {
            File.WriteAllLines(path, lines);
        }

        string[] golden = File.ReadAllLines(path);
        Assert.Equal(golden.Length, lines.Count);
        Assert.All(golden.Zip(lines), line => Assert.True(
            line.First == line.Second,
            $"{line.Second} is not what version 1 wrote, {line.First}. The bytes of a version never change: a new layout needs a new "
            + "version number and a golden file of its own; what the old one holds is still read."));
        for (int i = 0; i < Samples.Length; i++)
        {
            byte[] bytes = Convert.FromHexString(golden[i].Split(' ')[1]);
            Assert.True(GroupEntryCodec.TryDecode(bytes, out GroupEntry? entry, out _));
            Assert.Equal(bytes, GroupEntryCodec.Encode(entry!));
            Assert.Equal(Samples[i].Entry.GetType(), entry!.GetType());
        }
    }

    [Fact]
    public void Decoded_fields_are_those_encoded()
    {
        GroupEntry.OffsetsCommitted committed = RoundTrip((GroupEntry.OffsetsCommitted)Samples[0].Entry);
        Assert.Equal(((GroupEntry.OffsetsCommitted)Samples[0].Entry).Offsets, committed.Offsets);
        Assert.Equal(new ConsumerGroupId("g"), committed.Group);
        Assert.Equal([new("t", 0), new("u", int.MaxValue)], RoundTrip((GroupEntry.OffsetsDeleted)Samples[1].Entry).Offsets);
        Assert.Equal(Samples[5].Entry, RoundTrip((GroupEntry.TopicOffsetsDeleted)Samples[5].Entry));

        GroupRecord record = RoundTrip((GroupEntry.GroupChanged)Samples[2].Entry).Record;
        Assert.Equal(Stable with { Members = [] }, record with { Members = [] }, RecordHeadComparer);
        Assert.Equal(new InstanceId("i-ä"), record.Members[1].Instance);
        Assert.Null(record.Members[0].Instance);
        Assert.Equal([1, 2], record.Members[0].Protocols[0].Metadata);
        Assert.Equal([9], record.Members[0].Assignment);
        Assert.Equal((10_000, 60_000), (record.Members[0].SessionTimeoutMs, record.Members[0].RebalanceTimeoutMs));
    }

    [Fact]
    public void Entry_or_snapshot_cut_anywhere_is_refused()
    {
        foreach ((bool isSnapshot, byte[] bytes) in AllBytes())
        {
            for (int length = 0; length < bytes.Length; length++)
            {
                AssertRefused(isSnapshot, bytes[..length]);
            }
        }
    }

    [Fact]
    public void Entry_or_snapshot_with_any_bit_flipped_is_refused()
    {
        foreach ((bool isSnapshot, byte[] bytes) in AllBytes())
        {
            for (int bit = 0; bit < bytes.Length * 8; bit++)
            {
                byte[] flipped = [.. bytes];
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.Equal(GroupDecodeFault.Checksum, AssertRefused(isSnapshot, flipped));
            }
        }
    }

    [Fact]
    public void Bytes_cut_changed_or_lengthened_under_a_right_checksum_never_crash_and_have_one_form()
    {
        foreach ((bool isSnapshot, byte[] bytes) in AllBytes())
        {
            byte[] body = bytes[..^4];
            for (int length = 0; length < body.Length; length++)
            {
                Assert.NotEqual(GroupDecodeFault.Checksum, AssertRefused(isSnapshot, Sealed(body[..length])));
            }

            Assert.Equal(GroupDecodeFault.TrailingBytes, AssertRefused(isSnapshot, Sealed([.. body, 0])));
            for (int at = 0; at < body.Length; at++)
            {
                foreach (byte value in new byte[] { 0, 1, 0x7F, 0x80, 0xFF })
                {
                    byte[] changed = [.. body];
                    changed[at] = value;
                    changed = Sealed(changed);
                    if (!isSnapshot && GroupEntryCodec.TryDecode(changed, out GroupEntry? entry, out _))
                    {
                        Assert.Equal(changed, GroupEntryCodec.Encode(entry!));
                    }

                    if (isSnapshot && GroupStateMachine.TryReadSnapshot(changed, out GroupStateMachine? machine, out _))
                    {
                        Assert.Equal(changed, machine.WriteSnapshot());
                    }
                }
            }
        }
    }

    [Fact]
    public void Lengths_and_counts_that_lie_under_a_right_checksum_cost_no_more_than_the_bytes_are_long()
    {
        foreach ((bool isSnapshot, byte[] bytes) in AllBytes())
        {
            foreach ((byte[] lying, string how) in Hostile.Lie(bytes[..^4]))
            {
                byte[] lie = Sealed(lying);
                _ = isSnapshot
                    ? Hostile.Read(() => GroupStateMachine.TryReadSnapshot(lie, out _, out _), lie.Length, how)
                    : Hostile.Read(() => GroupEntryCodec.TryDecode(lie, out _, out _), lie.Length, how);
            }
        }
    }

    [Fact]
    public void Newer_versions_and_unknown_kinds_are_named()
    {
        byte[] body = GroupEntryCodec.Encode(Samples[4].Entry)[..^4];
        Assert.False(GroupEntryCodec.TryDecode(Sealed([2, .. body[1..]]), out _, out GroupDecodeFault fault));
        Assert.Equal(GroupDecodeFault.UnknownVersion, fault);
        Assert.False(GroupEntryCodec.TryDecode(Sealed([1, 99, .. body[2..]]), out _, out fault));
        Assert.Equal(GroupDecodeFault.UnknownKind, fault);
    }

    [Fact]
    public void Records_no_coordinator_could_go_on_from_are_refused()
    {
        MemberRecord member = Stable.Members[0];
        GroupRecord[] bad =
        [
            Stable with { Phase = GroupPhase.Joining },
            Stable with { Leader = new("nobody") },
            Stable with { ProtocolName = "unknown" },
            Stable with { Members = [member, member] },
            Stable with { Phase = GroupPhase.Empty },
            Stable with { Members = [] },
            Stable with { Members = [member, Stable.Members[1], Stable.Members[1] with { Id = new("m-3") }] },
        ];
        Assert.All(bad, record =>
        {
            byte[] bytes = GroupEntryCodec.Encode(new GroupEntry.GroupChanged(new("g"), record));
            Assert.False(GroupEntryCodec.TryDecode(bytes, out _, out GroupDecodeFault fault));
            Assert.Equal(GroupDecodeFault.BadValue, fault);
        });
    }

    [Fact]
    public void State_hash_and_snapshot_depend_on_the_state_alone()
    {
        for (ulong seed = 0; seed < 50; seed++)
        {
            RandomSource random = new(seed);
            GroupStateMachine machine = new();
            for (int i = 0; i < 200; i++)
            {
                machine.Apply(GroupEntryCodec.Encode(RandomEntry(random)));
                Assert.Equal(machine.Groups.Values.Sum(group => group.Offsets.Count), machine.OffsetCount);
            }

            byte[] snapshot = machine.WriteSnapshot();
            Assert.True(GroupStateMachine.TryReadSnapshot(snapshot, out GroupStateMachine? read, out GroupDecodeFault fault), $"{fault}");
            Assert.Equal(machine.StateHash, read.StateHash);
            Assert.Equal(machine.OffsetCount, read.OffsetCount);
            Assert.Equal(snapshot, read.WriteSnapshot());

            foreach (ConsumerGroupId id in machine.Groups.Keys.ToList())
            {
                machine.Apply(new GroupEntry.GroupDeleted(id));
            }

            Assert.Equal((0UL, 0, 0), (machine.StateHash, machine.OffsetCount, machine.GroupCount));
        }
    }

    [Fact]
    public void Snapshot_whose_hash_does_not_fit_its_state_is_refused()
    {
        byte[] body = SampleMachine().WriteSnapshot()[..^4];
        body[^1] ^= 1;
        Assert.False(GroupStateMachine.TryReadSnapshot(Sealed(body), out _, out GroupDecodeFault fault));
        Assert.Equal(GroupDecodeFault.StateHash, fault);
    }

    [Fact]
    public void Applying_bytes_that_are_no_entry_is_a_bug_and_stops() =>
        Assert.Throws<InvariantViolationException>(() => new GroupStateMachine().Apply([1, 2, 3]));

    private static IEqualityComparer<GroupRecord> RecordHeadComparer { get; } = EqualityComparer<GroupRecord>.Create(
        (left, right) => (left! with { Members = Stable.Members }) == (right! with { Members = Stable.Members }));

    private static T RoundTrip<T>(T entry)
        where T : GroupEntry
    {
        Assert.True(GroupEntryCodec.TryDecode(GroupEntryCodec.Encode(entry), out GroupEntry? read, out _));
        return Assert.IsType<T>(read);
    }

    private static GroupStateMachine SampleMachine()
    {
        GroupStateMachine machine = new();
        machine.Apply(Samples[2].Entry);
        machine.Apply(Samples[0].Entry);
        machine.Apply(new GroupEntry.OffsetsCommitted(new("a"), [new(new("t", 0), new(1, 1, "", 1, 0))]));
        return machine;
    }

    private static IEnumerable<(bool IsSnapshot, byte[] Bytes)> AllBytes() =>
        Samples.Select(sample => (false, GroupEntryCodec.Encode(sample.Entry))).Append((true, SampleMachine().WriteSnapshot()));

    private static byte[] Sealed(byte[] body) => [.. body, .. BitConverter.GetBytes(Crc32C.Compute(body))];

    private static GroupDecodeFault AssertRefused(bool isSnapshot, byte[] bytes)
    {
        GroupDecodeFault fault;
        if (isSnapshot)
        {
            Assert.False(GroupStateMachine.TryReadSnapshot(bytes, out GroupStateMachine? machine, out fault));
            Assert.Null(machine);
        }
        else
        {
            Assert.False(GroupEntryCodec.TryDecode(bytes, out GroupEntry? entry, out fault));
            Assert.Null(entry);
        }

        Assert.NotEqual(GroupDecodeFault.None, fault);
        return fault;
    }

    private static GroupEntry RandomEntry(RandomSource random)
    {
        ConsumerGroupId group = new($"g{random.Next(4)}");
        OffsetKey Key() => new($"t{random.Next(3)}", random.Next(3));
        CommittedOffset Offset() =>
            new(random.NextInt64(long.MaxValue), random.Next(9) - 1, new string('ä', random.Next(4)), random.Next(100), (UInt128)random.Next(3));
        return random.Next(8) switch
        {
            0 => new GroupEntry.GroupDeleted(group),
            1 => new GroupEntry.OffsetsDeleted(group, [Key(), Key()]),
            2 => new GroupEntry.TopicOffsetsDeleted($"t{random.Next(3)}", (UInt128)random.Next(3)),
            3 => new GroupEntry.GroupChanged(group, Stable with { Generation = new(random.Next(100)) }),
            _ => new GroupEntry.OffsetsCommitted(group, [new(Key(), Offset()), new(Key(), Offset())]),
        };
    }

    private static string GoldenPath([CallerFilePath] string file = "") =>
        Path.Combine(Path.GetDirectoryName(file)!, "Golden", "groups-v1.txt");
}
