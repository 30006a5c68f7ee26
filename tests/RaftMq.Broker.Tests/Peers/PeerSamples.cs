using System.Buffers.Binary;
using System.Globalization;
using RaftMq.Broker.Digests;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Leadership;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Records;
using RaftMq.Storage.Log;
using Crc32C = RaftMq.Storage.Crc32C;

namespace RaftMq.Broker.Tests.Peers;

/// <summary>Messages between nodes: one of each kind by the name it has in the golden file, and random ones.</summary>
internal static class PeerSamples
{
    public static readonly PeerSender Sender = new(new ReplicaId(new NodeId(2), new StoreId(22)), new BootNumber(3));

    private const int HeadCrcAt = PeerCodec.FrameHeaderBytes + 4;
    private const int HeadLengthAt = PeerCodec.FrameHeaderBytes + 8;
    private const int HeadAt = PeerCodec.FrameHeaderBytes + 12;
    private const int GuardedAt = 36;
    private const int BatchCrcAt = 17;

    private static readonly GroupId Group = new(9);
    private static readonly Term T = new(5);
    private static readonly Term Before = new(4);
    private static readonly LogIndex I = new(77);
    private static readonly ReplicaId One = new(new NodeId(1), new StoreId(11));
    private static readonly ReplicaId Two = new(new NodeId(2), new StoreId(22));
    private static readonly ReplicaId Three = new(new NodeId(3), new StoreId(33));

    public static readonly (string Name, PeerMessage Message)[] All =
    [
        ("alive", PeerMessage.Alive.Instance),
        ("leading", new PeerMessage.Leading(
            [new GroupLead(Group, 4, [new NodeId(1), new NodeId(2)]), new GroupLead(new GroupId(UInt128.One << 120), 5, [])])),
        ("formation-empty", new PeerMessage.Formation(default, [])),
        ("formation", new PeerMessage.Formation(Group, [One, Two])),
        ("member", new PeerMessage.Member(77)),
        ("introduction", new PeerMessage.Introduction(
            77, Group, new NodeId(2), [new PeerPlace(new NodeId(1), "h1", 7070), new PeerPlace(new NodeId(2), "", 0)])),
        ("introduction-without-leader", new PeerMessage.Introduction(77, Group, null, [])),
        ("removed", new PeerMessage.Removed(77, Three)),
        ("faults", new PeerMessage.Faults(
            LeaderFaults.SlowDisk, [new GroupFaults(Group, LeaderFaults.Damaged), new GroupFaults(new GroupId(7), LeaderFaults.DiskFull)])),
        ("hearing", new PeerMessage.Hearing([new NodeId(1), new NodeId(3)], [new NodeId(4)])),
        ("hearing-nobody", new PeerMessage.Hearing([], [])),
        ("request", new PeerMessage.Request(8, new byte[] { 1, 2 })),
        ("response", new PeerMessage.Response(8, new byte[] { 3 })),
        ("snapshot-wanted", new PeerMessage.SnapshotWanted(Group, I, 5)),
        ("snapshot-chunk", new PeerMessage.SnapshotChunk(Group, I, 5, 100, new byte[] { 6 })),
        ("snapshot-gone", new PeerMessage.SnapshotChunk(Group, I, 5, -1, default)),
        ("repair-wanted", new PeerMessage.RepairWanted(Group, I, I + 8)),
        ("repair-entries", new PeerMessage.RepairEntries(
            Group, I + 1, RepairAnswer.Entries, LogIndex.Zero, [Entry(Group, I + 1, T, EntryKind.Noop, 40, [], 1_700_000_000_000)])),
        ("repair-behind", new PeerMessage.RepairEntries(Group, I + 1, RepairAnswer.Behind, I + 8, [])),
        ("state-digested", new PeerMessage.StateDigested(Group, new StateDigest(I, 1, 0xEFCDAB8967452301))),
        ("state-diverged", new PeerMessage.StateDiverged(Group, new StateDigest(I, 1, 0xEFCDAB8967452301))),
        ("pre-vote-request", Raft(new PreVoteRequest(T, I, Before))),
        ("pre-vote-reply", Raft(new PreVoteReply(T, Granted: true))),
        ("vote-request", Raft(new VoteRequest(T, I, Before, LeadershipTransfer: true))),
        ("vote-reply", Raft(new VoteReply(T, Granted: false, Abstains: true))),
        ("append-nothing", Raft(new AppendEntries(T, I, Before, I.Previous, []))),
        ("append", Raft(new AppendEntries(T, I, Before, I.Previous,
        [
            Entry(Group, I + 1, T, EntryKind.Noop, 40, [], 1_700_000_000_000),
            Entry(Group, I + 2, T, EntryKind.Membership, 40,
                MembershipCodec.ToBytes(new Membership([One, Two], [], [Three])), 1_700_000_000_000),
            Entry(Group, I + 3, T, EntryKinds.Data, 40, Batch(), 1_700_000_000_000, EntryFlags.StartsSegment),
        ]))),
        ("append-accepted", Raft(new AppendAccepted(T, I))),
        ("append-rejected", Raft(new AppendRejected(T, I, new LogIndex(70), new Term(3)))),
        ("heartbeat", Raft(new Heartbeat(T, I, 6))),
        ("heartbeat-reply", Raft(new HeartbeatReply(T, 6, I))),
        ("install-snapshot", Raft(new InstallSnapshot(T, I, Before, new Membership([One, Two], [Two], [Three])))),
        ("snapshot-reply", Raft(new SnapshotReply(T, I, Installed: true))),
        ("timeout-now", Raft(new TimeoutNow(T))),
        ("quiesce", Raft(new Quiesce(T, I, I.Previous))),
        ("wake", Raft(new Wake(T))),
        ("heal-query", Raft(new HealQuery(T, new BootNumber(6)))),
        ("heal-through", Raft(new HealThrough(T, new BootNumber(6), I))),
        ("term-query", Raft(new TermQuery(T, new BootNumber(6)))),
        ("term-answer", Raft(new TermAnswer(T, new BootNumber(6)))),
    ];

    private static readonly int Kinds = All.Select(s => KindOf(s.Message)).Distinct().Count();

    public static Type KindOf(PeerMessage message) =>
        message is PeerMessage.ForGroup forGroup ? forGroup.Message.GetType() : message.GetType();

    public static byte[] Frame(params IReadOnlyList<PeerMessage> messages)
    {
        var frame = new PeerFrame(new byte[PeerCodec.FrameHeaderBytes + messages.Sum(PeerCodec.SizeBound)]);
        PeerCodec.WriteFrameHeader(frame, Sender);
        var scratch = new ByteWriter();
        foreach (PeerMessage message in messages)
        {
            PeerCodec.Write(frame, message, scratch);
        }

        return frame.Written.ToArray();
    }

    /// <summary>
    /// Makes every checksum of a frame of one message right again, as far as the lengths still say where it stands: so that
    /// damage meets the reader behind it.
    /// </summary>
    public static byte[] Sealed(byte[] frame)
    {
        Span<byte> bytes = frame;
        if (bytes.Length >= PeerCodec.FrameHeaderBytes)
        {
            Write(bytes[4..], Crc32C.Compute(bytes[8..PeerCodec.FrameHeaderBytes]));
        }

        if (bytes.Length < HeadAt
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[HeadLengthAt..]) is var head && (head < 0 || head > bytes.Length - HeadAt))
        {
            return frame;
        }

        Write(bytes[HeadCrcAt..], Crc32C.Compute(bytes.Slice(HeadAt, head)));
        Span<byte> rest = bytes[(HeadAt + head)..];
        while (rest.Length >= EntryLayout.HeaderBytes)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            uint guarded = BinaryPrimitives.ReadUInt32LittleEndian(rest[GuardedAt..]);
            if (length < EntryLayout.HeaderBytes || length > rest.Length || guarded > length - EntryLayout.HeaderBytes)
            {
                break;
            }

            Span<byte> payload = rest[EntryLayout.HeaderBytes..(int)length];
            if ((EntryKind)rest[9] == EntryKinds.Data && payload.Length >= EntryLayout.BatchGuardedBytes)
            {
                BinaryPrimitives.WriteUInt32BigEndian(payload[BatchCrcAt..], Crc32C.Compute(payload[EntryLayout.BatchGuardedBytes..]));
            }

            Write(rest[4..], Crc32C.Compute(rest.Slice(8, EntryLayout.HeaderBytes - 8 + (int)guarded)));
            rest = rest[(int)length..];
        }

        return frame;
    }

    /// <summary>Every field, lists and bodies included, whatever kind of list holds them.</summary>
    public static string Describe(PeerMessage message) => message switch
    {
        PeerMessage.Leading m => "Leading " + string.Join("; ", m.Groups.Select(g => $"{g.Group} {g.Epoch} {string.Join(',', g.InSync)}")),
        PeerMessage.Faults m => $"Faults {m.Node} {string.Join("; ", m.Groups)}",
        PeerMessage.Hearing m => $"Hearing {string.Join(',', m.Heard)} {string.Join(',', m.Missed)}",
        PeerMessage.Formation m => $"Formation {m.ControllerGroup} {Describe(m.Voters)}",
        PeerMessage.Introduction m =>
            $"Introduction {m.ClusterId} {m.ControllerGroup} {m.ControllerLeader} {string.Join("; ", m.Nodes)}",
        PeerMessage.Request m => $"Request {m.Id} {Convert.ToHexString(m.Body.Span)}",
        PeerMessage.Response m => $"Response {m.Id} {Convert.ToHexString(m.Body.Span)}",
        PeerMessage.RepairEntries m => $"{m with { Entries = [] }} {string.Join("; ", m.Entries.Select(Describe))}",
        PeerMessage.SnapshotChunk m => $"{m with { Bytes = default }} {Convert.ToHexString(m.Bytes.Span)}",
        PeerMessage.ForGroup { Message: AppendEntries m } forGroup =>
            $"{forGroup.Group} {m with { Entries = [] }} {string.Join("; ", m.Entries.Select(Describe))}",
        PeerMessage.ForGroup { Message: InstallSnapshot m } forGroup =>
            $"{forGroup.Group} {m with { Membership = Membership.None }} {Describe(m.Membership)}",
        _ => message.ToString(),
    };

    public static PeerMessage Random(RandomSource random) => random.Next(Kinds) switch
    {
        0 => PeerMessage.Alive.Instance,
        1 => new PeerMessage.Leading([.. Many(random, 5, () => new GroupLead(
            new GroupId(random.NextUInt128()), Number(random), [.. Many(random, 4, () => new NodeId(Number(random)))]))]),
        2 => new PeerMessage.Formation(new GroupId(random.NextUInt128()), Replicas(random)),
        3 => new PeerMessage.Request(Any(random), Bytes(random)),
        4 => new PeerMessage.Response(Any(random), Bytes(random)),
        5 => new PeerMessage.SnapshotWanted(new GroupId(random.NextUInt128()), new LogIndex(Any(random)), Any(random)),
        6 => new PeerMessage.SnapshotChunk(
            new GroupId(random.NextUInt128()), new LogIndex(Any(random)), Any(random), Any(random), Bytes(random)),
        7 => Append(random, new GroupId(random.NextUInt128())),
        22 => new PeerMessage.Faults((LeaderFaults)random.Next(256), [.. Many(random, 5, () => new GroupFaults(
            new GroupId(random.NextUInt128()), (LeaderFaults)random.Next(256)))]),
        21 => new PeerMessage.Member(random.NextUInt128()),
        23 => new PeerMessage.Introduction(
            random.NextUInt128(), new GroupId(random.NextUInt128()), random.OneIn(2) ? null : new NodeId(Number(random)),
            [.. Many(random, 5, () => new PeerPlace(new NodeId(Number(random)), $"h{random.Next(99)}", random.Next(65_536)))]),
        24 => new PeerMessage.Removed(random.NextUInt128(), One),
        29 => new PeerMessage.RepairWanted(
            new GroupId(random.NextUInt128()), new LogIndex(random.NextInt64(long.MaxValue)), new LogIndex(random.NextInt64(long.MaxValue))),
        31 => new PeerMessage.StateDigested(new GroupId(random.NextUInt128()), Digest(random)),
        32 => new PeerMessage.StateDiverged(new GroupId(random.NextUInt128()), Digest(random)),
        33 => new PeerMessage.Hearing(
            [.. Many(random, 9, () => new NodeId(Number(random)))], [.. Many(random, 4, () => new NodeId(Number(random)))]),
        30 => Repaired(random, new GroupId(random.NextUInt128())),
        var kind => new PeerMessage.ForGroup(new GroupId(random.NextUInt128()), RandomRaft(random, kind)),
    };

    private static StateDigest Digest(RandomSource random) => new(new LogIndex(random.NextInt64(long.MaxValue)), Number(random), random.NextUInt64());

    private static RaftMessage RandomRaft(RandomSource random, int kind)
    {
        var term = new Term(Number(random));
        LogIndex Index() => new(random.NextInt64(long.MaxValue));
        Term AnyTerm() => new(Number(random));
        bool Flag() => random.OneIn(2);
        return kind switch
        {
            8 => new PreVoteRequest(term, Index(), AnyTerm()),
            9 => new PreVoteReply(term, Flag(), Flag()),
            10 => new VoteRequest(term, Index(), AnyTerm(), Flag()),
            11 => new VoteReply(term, Flag(), Flag()),
            12 => new AppendAccepted(term, Index()),
            13 => new AppendRejected(term, Index(), Index(), AnyTerm()),
            14 => new Heartbeat(term, Index(), Any(random)),
            15 => new HeartbeatReply(term, Any(random), Index()),
            16 => new InstallSnapshot(term, Index(), AnyTerm(), AnyMembership(random)),
            17 => new SnapshotReply(term, Index(), Flag()),
            18 => new TimeoutNow(term),
            19 => new Quiesce(term, Index(), Index()),
            20 => new Wake(term),
            25 => new HealQuery(term, new BootNumber(Any(random))),
            26 => new HealThrough(term, new BootNumber(Any(random)), Index()),
            27 => new TermQuery(term, new BootNumber(Any(random))),
            28 => new TermAnswer(term, new BootNumber(Any(random))),
            _ => throw new InvalidOperationException("A kind of message is not drawn here."),
        };
    }

    private static PeerMessage.ForGroup Append(RandomSource random, GroupId group)
    {
        var term = new Term(random.Next(10, 1000));
        var index = new LogIndex(random.NextInt64(1_000_000));
        var before = new Term(random.Next(10));
        var entries = new List<Entry>();
        var newest = before;
        long offset = random.NextInt64(1_000_000);
        for (int count = random.Next(5); count > 0; count--)
        {
            newest = new Term(random.Next(newest.Value, term.Value + 1));
            byte[] payload = [];
            EntryKind kind = EntryKind.Noop;
            switch (random.Next(4))
            {
                case 0:
                    (kind, payload) = (EntryKinds.Data, Batches.Plain(random.Next(1, 4), random.Next(50)));
                    break;
                case 1:
                    (kind, payload) = (EntryKind.Membership, MembershipCodec.ToBytes(Membership.Of(One, Two)));
                    break;
                case 2:
                    (kind, payload) = ((EntryKind)((int)EntryKinds.Data + random.Next(1, 9)), Bytes(random));
                    break;
            }

            Entry entry = Entry(group, index + entries.Count + 1, newest, kind, offset, payload, Any(random));
            offset += EntryLayout.ReadUnchecked(entry.Bytes.Span).RecordCount;
            entries.Add(entry);
        }

        return new PeerMessage.ForGroup(group, new AppendEntries(term, index, before, new LogIndex(random.NextInt64(1_000_000)), entries));
    }

    private static PeerMessage.RepairEntries Repaired(RandomSource random, GroupId group)
    {
        IReadOnlyList<Entry> entries = ((AppendEntries)Append(random, group).Message).Entries;
        return entries.Count > 0
            ? new PeerMessage.RepairEntries(group, entries[0].Index, RepairAnswer.Entries, LogIndex.Zero, entries)
            : new PeerMessage.RepairEntries(
                group, new LogIndex(random.NextInt64(long.MaxValue)), (RepairAnswer)random.Next(1, 4), new LogIndex(random.NextInt64(long.MaxValue)), []);
    }

    private static PeerMessage Raft(RaftMessage message) => new PeerMessage.ForGroup(Group, message);

    private static Entry Entry(
        GroupId group, LogIndex index, Term term, EntryKind kind, long offset, byte[] payload, long timestampMs,
        EntryFlags flags = EntryFlags.None)
    {
        int records = 0;
        if (kind == EntryKinds.Data)
        {
            Assert.True(RecordBatchHeader.TryRead(payload, out RecordBatchHeader batch));
            records = batch.RecordCount;
            StoredBatch.Patch(payload, offset, term.Value);
        }

        byte[] bytes = [.. new byte[EntryLayout.HeaderBytes], .. payload];
        EntryLayout.WriteHeader(bytes, new EntryHeader(
            bytes.Length, kind, flags, term, index, offset, records, EntryKinds.GuardedBytes(kind, payload.Length), timestampMs, group));
        return StoredEntry.ToEntry(bytes);
    }

    /// <summary>As in the golden file: producer 7, its first record.</summary>
    private static byte[] Batch()
    {
        var builder = new RecordBatchBuilder { ProducerId = 7, ProducerEpoch = 0, BaseSequence = 0 };
        builder.Append(1_700_000_000_000, [0], [0xAA, 0xBB]);
        return builder.ToArray();
    }

    private static string Describe(IReadOnlyList<ReplicaId> replicas) => string.Join(',', replicas.Select(r => $"{r.Node}/{r.Store}"));

    private static string Describe(Membership membership) =>
        $"{Describe(membership.Voters)} | {Describe(membership.OutgoingVoters)} | {Describe(membership.Learners)}";

    private static string Describe(Entry entry) => string.Create(CultureInfo.InvariantCulture,
        $"{entry.Index} {entry.Term} {entry.Kind} {Convert.ToHexString(entry.Bytes.Span)} {(entry.Membership is { } m ? Describe(m) : "-")}");

    private static Membership AnyMembership(RandomSource random)
    {
        ReplicaId[] List() => [.. Replicas(random).DistinctBy(replica => replica.Node).Order()];
        ReplicaId[] voters = List();
        return voters.Length == 0 ? Membership.None : new Membership(voters, List(), List());
    }

    private static ReplicaId[] Replicas(RandomSource random) =>
        [.. Many(random, 5, () => new ReplicaId(new NodeId(Number(random)), new StoreId(random.NextUInt128())))];

    private static byte[] Bytes(RandomSource random) => [.. Many(random, 100, () => (byte)random.Next(256))];

    private static IEnumerable<TItem> Many<TItem>(RandomSource random, int exclusiveMax, Func<TItem> make) =>
        Enumerable.Range(0, random.Next(exclusiveMax)).Select(_ => make());

    /// <summary>Small, large and the ends.</summary>
    private static int Number(RandomSource random) => random.Next(4) switch
    {
        0 => 0,
        1 => random.Next(100),
        2 => int.MaxValue,
        _ => random.Next(int.MaxValue),
    };

    private static long Any(RandomSource random) => unchecked((long)random.NextUInt64());

    private static void Write(Span<byte> at, uint crc) => BinaryPrimitives.WriteUInt32LittleEndian(at, crc);
}
