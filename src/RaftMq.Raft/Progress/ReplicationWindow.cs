namespace RaftMq.Raft;

/// <summary>What was sent to one follower and not yet acknowledged, limited in entries and in bytes.</summary>
internal sealed class ReplicationWindow(int entriesMax, long bytesMax)
{
    private readonly Queue<(LogIndex Last, int Entries, long Bytes)> _sent = new();
    private int _entries;
    private long _bytes;

    public int Entries => _entries;

    public long Bytes => _bytes;

    public bool IsFull => _entries >= entriesMax || _bytes >= bytesMax;

    public int EntriesFree => Math.Max(0, entriesMax - _entries);

    public long BytesFree => Math.Max(0, bytesMax - _bytes);

    public void Sent(LogIndex last, int entries, long bytes)
    {
        Invariant.Holds(entries > 0);
        _sent.Enqueue((last, entries, bytes));
        _entries += entries;
        _bytes += bytes;
    }

    public void Acknowledged(LogIndex match)
    {
        while (_sent.TryPeek(out (LogIndex Last, int Entries, long Bytes) oldest) && oldest.Last <= match)
        {
            _sent.Dequeue();
            _entries -= oldest.Entries;
            _bytes -= oldest.Bytes;
        }
    }

    public void Clear()
    {
        _sent.Clear();
        (_entries, _bytes) = (0, 0);
    }
}
