using System.Text;
using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>What a group knows, computed the naive way from its records. Entries that segments hold are forgotten.</summary>
internal sealed class GroupModel
{
    public HardState? HardState { get; set; }

    public long Commit { get; set; }

    public long SegmentsDurable { get; private set; }

    public long LastIndex { get; private set; }

    public long LogBase { get; private set; }

    public bool Deleted { get; set; }

    public SortedDictionary<long, (int Term, uint Checksum)> Entries { get; } = [];

    public void Add(IReadOnlyList<Entry> entries)
    {
        Assert.True(Entries.Count == 0 || entries[0].Index.Value <= LastIndex + 1, $"entries from {entries[0].Index} leave a gap behind {LastIndex}");
        foreach (long index in Entries.Keys.Where(index => index >= entries[0].Index.Value).ToArray())
        {
            Entries.Remove(index);
        }

        foreach (Entry entry in entries)
        {
            Entries[entry.Index.Value] = (entry.Term.Value, Crc32C.Compute(entry.Bytes.Span));
        }

        LastIndex = entries[^1].Index.Value;
        Forget();
    }

    public void Release(long index)
    {
        SegmentsDurable = Math.Max(SegmentsDurable, index);
        LastIndex = Math.Max(LastIndex, index);
        Forget();
    }

    public void Cut(long index) => LogBase = Math.Max(LogBase, index);

    public void Reset(long index)
    {
        LogBase = index;
        Entries.Clear();
        SegmentsDurable = index;
        LastIndex = index;
        Commit = index;
    }

    public void Apply(JournalRecord record)
    {
        if (Deleted)
        {
            return;
        }

        HardState = record.HardState ?? HardState;
        if (record.Reset is { } reset)
        {
            Reset(reset.Index.Value);
        }

        if (record.Entries.Count > 0)
        {
            Add(record.Entries);
        }

        if (record.SegmentsDurable is { } durable)
        {
            Release(durable.Value);
        }

        if (record.LogBase is { } logBase)
        {
            Cut(logBase.Value);
        }

        Commit = Math.Max(Commit, record.Commit.Value);
        Deleted |= record.Deleted;
    }

    public override string ToString()
    {
        if (Deleted)
        {
            return "deleted";
        }

        StringBuilder text = new();
        text.Append($"hard {HardState?.Term} {HardState?.Vote?.Node} commit {Commit} durable {SegmentsDurable} base {LogBase} last {LastIndex}:");
        foreach ((long index, (int term, uint checksum)) in Entries)
        {
            text.Append($" {index}/{term}/{checksum:x}");
        }

        return text.ToString();
    }

    private void Forget()
    {
        foreach (long index in Entries.Keys.Where(index => index <= SegmentsDurable).ToArray())
        {
            Entries.Remove(index);
        }
    }
}
