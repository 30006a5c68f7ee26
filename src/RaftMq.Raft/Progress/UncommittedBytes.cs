namespace RaftMq.Raft;

/// <summary>How many bytes this leader has proposed that are not committed yet. What earlier terms left is not counted (it was, once).</summary>
internal sealed class UncommittedBytes(long bytesMax)
{
    private readonly Queue<(LogIndex Index, int Bytes)> _proposed = new();
    private long _total;

    public long Total => _total;

    /// <summary>A single entry may be larger than the limit, or it could never pass.</summary>
    public bool HasRoomFor(int bytes) => _total == 0 || _total + bytes <= bytesMax;

    public void Proposed(LogIndex index, int bytes)
    {
        _proposed.Enqueue((index, bytes));
        _total += bytes;
    }

    public void Committed(LogIndex commit)
    {
        while (_proposed.TryPeek(out (LogIndex Index, int Bytes) oldest) && oldest.Index <= commit)
        {
            _proposed.Dequeue();
            _total -= oldest.Bytes;
        }
    }
}
