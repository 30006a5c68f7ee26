using RaftMq.Raft;

namespace RaftMq.Testing.Raft;

/// <summary>A tail that costs nothing: the newest entries, without bytes.</summary>
public sealed class RingTail : ILogTail
{
    private readonly Entry[] _ring = new Entry[1024];

    public LogIndex FirstInMemory => LogIndex.Max(new LogIndex(1), LastIndex - (_ring.Length - 1));

    public LogIndex LastIndex { get; private set; }

    public Entry AppendOwn(LogIndex index, Term term, EntryKind kind, Membership? membership) =>
        Append(new Entry(index, term, kind, default, membership));

    public Entry Append(in Entry entry)
    {
        _ring[entry.Index.Value % _ring.Length] = entry;
        LastIndex = entry.Index;
        return entry;
    }

    public void TruncateFrom(LogIndex index) => LastIndex = index.Previous;

    public bool TryRead(LogIndex from, LogIndex to, int maxEntries, long maxBytes, List<Entry> into)
    {
        for (LogIndex i = from; i <= to && into.Count < maxEntries; i = i.Next)
        {
            into.Add(_ring[i.Value % _ring.Length]);
        }

        return true;
    }
}
