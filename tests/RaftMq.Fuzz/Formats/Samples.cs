using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Raft;
using RaftMq.Records;
using RaftMq.Storage.Log;

namespace RaftMq.Fuzz.Formats;

/// <summary>Valid things to start from.</summary>
internal static class Samples
{
    public static readonly GroupId Group = new((UInt128)7 << 64 | 0xABCDEF);

    public static readonly StoreId Store = new(0x5708E);

    public static readonly ImmutableSortedDictionary<string, string> Configs = ImmutableSortedDictionary.CreateRange(
        StringComparer.Ordinal,
        [new KeyValuePair<string, string>("retention.ms", "60000"), new("min.insync.replicas", "2")]);

    public static ReplicaId Replica(int node) => new(new NodeId(node), new StoreId((UInt128)node * 99 + 1));

    public static ReplicaId[] Replicas(params int[] nodes) => Array.ConvertAll(nodes, Replica);

    public static Membership Joint() => new(Replicas(1, 2, 3), Replicas(1, 2, 4), Replicas(5, 9));

    public static NodeRecord Node(int node) => new(
        Replica(node), new BootNumber(5), 0xFEED, node == 2 ? null : $"rack-{node}",
        [new ListenerAddress("kafka", $"node{node}.example", 9092), new ListenerAddress(ListenerAddress.Peers, "10.0.0.1", 7070)], 1, 1);

    public static PartitionInfo Partition(int number, params int[] nodes) =>
        new(number, new GroupId((UInt128)number + 1000), [.. Replicas(nodes)]);

    public static TopicInfo Topic(string name, int id, int partitions) => new(
        name, (UInt128)id, Internal: name.StartsWith('_'), [.. Enumerable.Range(0, partitions).Select(p => Partition(p, 1, 2, 3))],
        partitions > 1 ? Configs : Configs.Clear());

    public static byte[] Batch(int records, Action<RecordBatchBuilder>? change = null)
    {
        var builder = new RecordBatchBuilder();
        change?.Invoke(builder);
        for (int i = 0; i < records; i++)
        {
            RecordHeader[] headers = [new("trace", [1, 2, 3]), new("none", null)];
            builder.Append(
                1_700_000_000_000 + (i * 7), i % 3 == 1 ? null : [(byte)i, 1], i % 4 == 2 ? null : new byte[20 + i], headers.AsSpan(0, i % 3));
        }

        return builder.ToArray();
    }

    /// <summary>The batch of an idempotent producer.</summary>
    public static byte[] StampedBatch(int records) => Batch(records, builder =>
    {
        builder.ProducerId = 4711;
        builder.ProducerEpoch = 3;
        builder.BaseSequence = int.MaxValue - 1;
    });

    /// <summary>An entry in its stored form.</summary>
    public static byte[] Entry(
        EntryKind kind, long index, int term, ReadOnlySpan<byte> payload, long baseOffset = 0, int records = 0, EntryFlags flags = EntryFlags.None)
    {
        byte[] bytes = new byte[EntryLayout.HeaderBytes + payload.Length];
        payload.CopyTo(bytes.AsSpan(EntryLayout.HeaderBytes));
        if (kind == EntryKinds.Data)
        {
            StoredBatch.Patch(bytes.AsSpan(EntryLayout.HeaderBytes), baseOffset, term);
        }

        EntryLayout.WriteHeader(bytes, new EntryHeader(
            bytes.Length, kind, flags, new Term(term), new LogIndex(index), baseOffset, records, EntryKinds.GuardedBytes(kind, payload.Length),
            1_700_000_000_000 + index, Group));
        return bytes;
    }

    /// <summary>A log of all kinds of entry from an index on, each with the offset that belongs to it.</summary>
    public static List<byte[]> Log(long firstIndex, int count, int term)
    {
        List<byte[]> entries = [];
        long offset = 0;
        for (int i = 0; i < count; i++)
        {
            EntryFlags flags = i == 0 ? EntryFlags.StartsSegment : EntryFlags.None;
            int ofTerm = term + (i / 4);
            switch (i % 4)
            {
                case 0:
                    entries.Add(Entry(EntryKind.Noop, firstIndex + i, ofTerm, [], offset, flags: flags));
                    break;
                case 1:
                    entries.Add(Entry(EntryKind.Membership, firstIndex + i, ofTerm, MembershipCodec.ToBytes(Joint()), offset, flags: flags));
                    break;
                default:
                    entries.Add(Entry(EntryKinds.Data, firstIndex + i, ofTerm, Batch(i, _ => { }), offset, i, flags));
                    offset += i;
                    break;
            }
        }

        return entries;
    }

    public static Entry AsEntry(byte[] stored) => StoredEntry.ToEntry(stored);

    public static GroupRecord GroupRecord() => new(
        new Generation(4), GroupPhase.Stable, "consumer", "range", new MemberId("m-1"), 1_700_000_000_000,
        [
            new MemberRecord(
                new MemberId("m-1"), new InstanceId("static"), "client", "/10.0.0.1", 10_000, 300_000,
                [new MemberProtocol("range", [0, 1, 2, 3]), new MemberProtocol("sticky", [])], [9, 9]),
            new MemberRecord(new MemberId("m-2"), null, "", "", 6_000, 6_000, [new MemberProtocol("range", [])], []),
        ]);
}
