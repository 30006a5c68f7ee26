using RaftMq.Raft;

namespace RaftMq.Storage.Log;

public enum LogReadStatus
{
    /// <summary>On its way from the disk; the waiter is told.</summary>
    Pending,

    Done,

    /// <summary>Before the log's start.</summary>
    BelowStart,

    /// <summary>The bytes on this disk are not what was written (promise DETECTED). Nothing of them is served.</summary>
    Damaged,
}

/// <summary>A question to a log and its answer, at once from memory or later from a segment. Memory in it stays valid while held.</summary>
public sealed class LogRead
{
    private readonly List<ReadOnlyMemory<byte>> _batches = [];
    private readonly List<Entry> _entries = [];

    internal LogRead(ILogReadWaiter? waiter) => Waiter = waiter;

    public LogReadStatus Status { get; internal set; } = LogReadStatus.Pending;

    /// <summary>A consumer's answer: record batches as they lie, one behind the other.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Batches => _batches;

    /// <summary>A follower's answer: entries without a gap.</summary>
    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary>Bytes of batches or entries.</summary>
    public int SizeBytes { get; private set; }

    /// <summary>A consumer goes on here. Above the asked offset also without a batch, where entries hold nothing for consumers.</summary>
    public long NextOffset { get; internal set; }

    /// <summary>A look-up's answer; null when no entry has such an offset or time.</summary>
    public EntryHeader? Found { get; internal set; }

    /// <summary>The answer to <see cref="GroupLog.FindGreatestTimestamp"/>; -1 without any record.</summary>
    public long GreatestTimestampMs { get; internal set; } = -1;

    /// <summary>What is damaged and where; null otherwise.</summary>
    public string? Damage { get; internal set; }

    internal ILogReadWaiter? Waiter { get; }

    internal bool HasRoom(int bytes, int maxBytes) => SizeBytes == 0 || (long)SizeBytes + bytes <= maxBytes;

    internal void Add(ReadOnlyMemory<byte> batch)
    {
        _batches.Add(batch);
        SizeBytes += batch.Length;
    }

    internal void Add(in Entry entry)
    {
        _entries.Add(entry);
        SizeBytes += entry.SizeBytes;
    }
}

/// <summary>Is told, inside the section, that a read which was <see cref="LogReadStatus.Pending"/> is answered.</summary>
public interface ILogReadWaiter
{
    void ReadDone(LogRead read);
}
