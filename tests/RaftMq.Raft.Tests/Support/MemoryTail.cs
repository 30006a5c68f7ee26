using System.Text;

namespace RaftMq.Raft.Tests.Support;

/// <summary>A tail in plain memory. What it gives up is overwritten, so that whoever still refers to it is found out.</summary>
internal sealed class MemoryTail(LogIndex baseIndex) : ILogTail
{
    private readonly List<Entry> _entries = [];

    public LogIndex FirstInMemory { get; private set; } = baseIndex.Next;

    public LogIndex LastIndex => FirstInMemory + (_entries.Count - 1);

    public static string Text(in Entry entry) => Encoding.ASCII.GetString(entry.Bytes.Span);

    public static Entry Copy(in Entry entry) => entry with { Bytes = entry.Bytes.ToArray() };

    public static Entry Make(LogIndex index, Term term, string text, Membership? membership = null) => new(
        index,
        term,
        membership is null ? EntryKind.FirstOfStateMachine : EntryKind.Membership,
        Encoding.ASCII.GetBytes(text),
        membership);

    public Entry AppendOwn(LogIndex index, Term term, EntryKind kind, Membership? membership) =>
        Append(new Entry(index, term, kind, Encoding.ASCII.GetBytes(membership?.ToString() ?? "noop"), membership));

    public Entry Append(in Entry entry)
    {
        Assert.Equal(LastIndex.Next, entry.Index);
        Entry copy = Copy(entry);
        _entries.Add(copy);
        return copy;
    }

    public void TruncateFrom(LogIndex index)
    {
        int keep = (int)(index - FirstInMemory);
        Assert.InRange(keep, 0, _entries.Count);
        Poison(keep, _entries.Count - keep);
        _entries.RemoveRange(keep, _entries.Count - keep);
    }

    public bool TryRead(LogIndex from, LogIndex to, int maxEntries, long maxBytes, List<Entry> into)
    {
        Assert.InRange(to.Value, from.Value, LastIndex.Value);
        Assert.True(maxEntries > 0);
        if (from < FirstInMemory)
        {
            return false;
        }

        long bytes = 0;
        int count = 0;
        for (LogIndex i = from; i <= to && count < maxEntries; i = i.Next, count++)
        {
            Entry entry = At(i);
            bytes += entry.SizeBytes;
            if (count > 0 && bytes > maxBytes)
            {
                break;
            }

            into.Add(entry);
        }

        return true;
    }

    public Entry At(LogIndex index) => _entries[(int)(index - FirstInMemory)];

    /// <summary>Forgets the oldest entries, as when they lie in segments.</summary>
    public void ForgetUpTo(LogIndex index)
    {
        int count = (int)Math.Clamp(index - FirstInMemory + 1, 0, _entries.Count);
        Poison(0, count);
        _entries.RemoveRange(0, count);
        FirstInMemory += count;
    }

    /// <summary>A snapshot took the log's place.</summary>
    public void ResetTo(LogIndex index)
    {
        Poison(0, _entries.Count);
        _entries.Clear();
        FirstInMemory = index.Next;
    }

    private void Poison(int from, int count)
    {
        for (int i = from; i < from + count; i++)
        {
            Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(_entries[i].Bytes, out ArraySegment<byte> bytes));
            bytes.AsSpan().Fill((byte)'#');
        }
    }
}
