using RaftMq.Raft;

namespace RaftMq.Storage.Log;

/// <summary>
/// One piece of a tail's memory: entries one behind the other in their stored form. Bytes up to <see cref="Used"/> never change, not
/// even after a truncation or eviction: journal batches, segment runs, frames to peers and answers to consumers may still read them.
/// The array therefore goes to the garbage collector, never back to a pool.
/// </summary>
internal sealed class TailChunk(int sizeBytes, LogIndex first, long startPosition)
{
    private int[] _starts = new int[4];
    private bool _sealed;

    /// <summary>Uninitialised: nothing behind <see cref="Used"/> is ever shown.</summary>
    public byte[] Memory { get; } = GC.AllocateUninitializedArray<byte>(sizeBytes);

    public LogIndex First { get; } = first;

    /// <summary>Where the chunk's first byte stands in the tail's own count of bytes.</summary>
    public long StartPosition { get; } = startPosition;

    public int Count { get; private set; }

    public int Used { get; private set; }

    /// <summary>At least the greatest timestamp in here; truncation does not lower it.</summary>
    public long MaxTimestampMs { get; private set; } = long.MinValue;

    public LogIndex Last => First + (Count - 1);

    public int Free => _sealed ? 0 : Memory.Length - Used;

    public Span<byte> Reserve(int bytes) => Memory.AsSpan(Used, bytes);

    public void Add(int bytes, long timestampMs)
    {
        if (Count == _starts.Length)
        {
            Array.Resize(ref _starts, Count * 2);
        }

        _starts[Count++] = Used;
        Used += bytes;
        MaxTimestampMs = Math.Max(MaxTimestampMs, timestampMs);
    }

    public int StartOf(LogIndex index) => _starts[(int)(index - First)];

    public int EndOf(LogIndex index)
    {
        int next = (int)(index - First) + 1;
        return next == Count ? Used : _starts[next];
    }

    public ReadOnlyMemory<byte> Bytes(LogIndex index)
    {
        int start = StartOf(index);
        return Memory.AsMemory(start, EndOf(index) - start);
    }

    public ReadOnlySpan<byte> Span(LogIndex index) => Memory.AsSpan(StartOf(index));

    /// <summary>The first entry here that ends above <paramref name="offset"/>; behind the last when there is none.</summary>
    public LogIndex FirstEndingAbove(long offset)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (EntryLayout.ReadUnchecked(Memory.AsSpan(_starts[middle])).NextOffset > offset)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return First + low;
    }

    /// <summary>Forgets entries from <paramref name="index"/> on. Their bytes stay as they are, so the chunk takes no more.</summary>
    public void TruncateFrom(LogIndex index)
    {
        Used = StartOf(index);
        Count = (int)(index - First);
        _sealed = true;
    }
}
