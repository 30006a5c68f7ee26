using RaftMq.Raft;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>Makes entries and records.</summary>
internal static class Records
{
    public static GroupId Group(int number) => new((UInt128)number << 64 | 0xABCDEF);

    public static Entry Entry(GroupId group, long index, int term, int payloadBytes, byte fill = 0)
    {
        byte[] bytes = new byte[EntryLayout.HeaderBytes + payloadBytes];
        for (int i = EntryLayout.HeaderBytes; i < bytes.Length; i++)
        {
            bytes[i] = (byte)((i * 7) + index + (term * 31) + fill);
        }

        EntryLayout.WriteHeader(bytes, new EntryHeader(
            bytes.Length, EntryKind.FirstOfStateMachine, EntryFlags.None, new Term(term), new LogIndex(index), 0, 0, payloadBytes, 0, group));
        return new Entry(new LogIndex(index), new Term(term), EntryKind.FirstOfStateMachine, bytes);
    }

    public static Entry[] Entries(GroupId group, long first, long last, int term, int payloadBytes) =>
        [.. Enumerable.Range(0, (int)(last - first + 1)).Select(i => Entry(group, first + i, term, payloadBytes))];

    public static JournalRecord Of(GroupId group, params Entry[] entries) => new() { Group = group, Entries = entries };

    public static HardState Hard(int term, int vote = 0) => new(
        new Term(term), vote == 0 ? null : new ReplicaId(new NodeId(vote), new StoreId((UInt128)vote * 99)));
}
