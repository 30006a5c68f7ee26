namespace RaftMq.Broker.Leadership;

/// <summary>
/// Whether this node's disk keeps up with what comes (D-13, D-20). It does not when a flush is overdue, or when the journal was full for a
/// second more than it was not. Held for a while: what left because of it must not come back with the first good moment.
/// </summary>
internal sealed class SlowDiskWatch
{
    /// <summary>Full for this much longer than not full: slow.</summary>
    public const int FullMsMax = 1_000;

    /// <summary>Kept to since the disk was last found slow.</summary>
    public const int HoldMs = 10_000;

    /// <summary>A process that was stopped for long has not looked meanwhile.</summary>
    private const int LookMsMax = 100;

    private long? _lookedMs;
    private long _fullMs;
    private long? _slowUntilMs;

    /// <summary>About every 10 ms.</summary>
    /// <param name="journalIsFull">Produces and appends are held because of it.</param>
    /// <param name="flushIsOverdue">Something has waited for the disk for longer than a leader may.</param>
    /// <returns>The disk is slow, or was so lately.</returns>
    public bool IsSlow(long nowMs, bool journalIsFull, bool flushIsOverdue)
    {
        long passedMs = Math.Min(nowMs - (_lookedMs ?? nowMs), LookMsMax);
        _lookedMs = nowMs;
        _fullMs = Math.Clamp(_fullMs + (journalIsFull ? passedMs : -passedMs), 0, FullMsMax);
        if (flushIsOverdue || _fullMs == FullMsMax)
        {
            _slowUntilMs = nowMs + HoldMs;
        }
        else if (nowMs >= _slowUntilMs)
        {
            _slowUntilMs = null;
        }

        return _slowUntilMs is not null;
    }
}
