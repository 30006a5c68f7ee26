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

    /// <summary>0 where a release went past all that was told.</summary>
    public int LastTerm { get; set; }

    /// <summary>A replay told that what stands from here on may be replaced.</summary>
    public long? SuspectFrom { get; set; }

    /// <summary>Entries of which a replay told that they can't be read.</summary>
    public SortedSet<long> Lost { get; } = [];

    public long LogBase { get; private set; }

    public bool Deleted { get; set; }

    public SortedDictionary<long, (int Term, uint Checksum)> Entries { get; } = [];

    public void Add(IReadOnlyList<Entry> entries)
    {
        Assert.True(Entries.Count == 0 || entries[0].Index.Value <= LastIndex + 1, $"entries from {entries[0].Index} leave a gap behind {LastIndex}");
        DropFrom(entries[0].Index.Value);

        foreach (Entry entry in entries)
        {
            Entries[entry.Index.Value] = (entry.Term.Value, Crc32C.Compute(entry.Bytes.Span));
        }

        LastIndex = entries[^1].Index.Value;
        LastTerm = entries[^1].Term.Value;
        Forget();
    }

    public void Release(long index)
    {
        SegmentsDurable = Math.Max(SegmentsDurable, index);
        if (index > LastIndex)
        {
            LastIndex = index;
            LastTerm = 0;
        }

        Forget();
    }

    public void Cut(long index)
    {
        LogBase = Math.Max(LogBase, index);
        Release(index);
    }

    public void Lose(long first, long last)
    {
        DropFrom(first);
        for (long index = first; index <= last; index++)
        {
            Lost.Add(index);
        }

        LastIndex = Math.Max(last, first - 1);
        Forget();
    }

    /// <summary>The last word of a replay in which something was lost.</summary>
    public void CutLog(long? from)
    {
        if (from is { } cut)
        {
            DropFrom(cut);
            LastIndex = cut - 1;
            LastTerm = Entries.TryGetValue(LastIndex, out (int Term, uint Checksum) last) ? last.Term : 0;
        }

        SuspectFrom = null;
    }

    /// <param name="mayFollow">Whether an entry, by index and term, may stand behind the end of the whole.</param>
    public void RequireBeginningOf(GroupModel whole, Func<long, int, bool>? mayFollow = null)
    {
        Assert.True(SuspectFrom is null && Lost.Count == 0);
        Assert.True(SegmentsDurable <= whole.SegmentsDurable && LogBase <= whole.LogBase);
        Assert.True(
            LastIndex <= whole.LastIndex || (mayFollow is not null
                && Entries.Where(entry => entry.Key > whole.LastIndex).All(entry => mayFollow(entry.Key, entry.Value.Term))),
            $"{this} is more than {whole}");
        for (long index = SegmentsDurable + 1; index <= LastIndex; index++)
        {
            Assert.True(Entries.ContainsKey(index), $"{index} is missing in {this}");
            Assert.True(index <= whole.SegmentsDurable || index > whole.LastIndex || whole.Entries[index] == Entries[index], $"{index} is another one in {this} than in {whole}");
        }

        Assert.True(Entries.Count == 0 || Entries.Keys.Last() <= LastIndex);
    }

    public void Reset(long index, int term)
    {
        LogBase = index;
        LastTerm = term;
        SuspectFrom = null;
        DropFrom(0);
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
            Reset(reset.Index.Value, reset.Term.Value);
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

    private void DropFrom(long first)
    {
        SuspectFrom = null;
        Lost.RemoveWhere(index => index >= first);
        foreach (long index in Entries.Keys.Where(index => index >= first).ToArray())
        {
            Entries.Remove(index);
        }
    }

    private void Forget()
    {
        Lost.RemoveWhere(index => index <= SegmentsDurable);
        foreach (long index in Entries.Keys.Where(index => index <= SegmentsDurable).ToArray())
        {
            Entries.Remove(index);
        }
    }
}
