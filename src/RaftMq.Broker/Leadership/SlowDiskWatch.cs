namespace RaftMq.Broker.Leadership;

/// <summary>
/// Whether this node's disk keeps up with what comes (D-13, D-20). It does not when a flush is overdue, or when the journal was full for a
/// second more than it was not. That counts for a while longer: what left because of it must not come back with the first good moment. A
/// disk that is slow again and again is believed for longer each time; one hiccup costs a second.
/// </summary>
internal sealed class SlowDiskWatch
{
    /// <summary>Full for this much longer than not full: slow.</summary>
    public const int FullMsMax = 1_000;

    /// <summary>How long it counts the first time.</summary>
    public const int HoldMsMin = 1_000;

    /// <summary>How long it counts at most; and after so long without trouble the next is a first time again.</summary>
    public const int HoldMsMax = 64_000;

    /// <summary>A process that was stopped for long has not looked meanwhile.</summary>
    private const int LookMsMax = 100;

    private long? _lookedMs;
    private long _fullMs;
    private int _holdMs = HoldMsMin;
    private long? _slowUntilMs;
    private long _forgivenMs;

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
            if (_slowUntilMs is null)
            {
                _holdMs = nowMs >= _forgivenMs ? HoldMsMin : Math.Min(2 * _holdMs, HoldMsMax);
            }

            _slowUntilMs = nowMs + _holdMs;
            _forgivenMs = nowMs + _holdMs + HoldMsMax;
        }
        else if (nowMs >= _slowUntilMs)
        {
            _slowUntilMs = null;
        }

        return _slowUntilMs is not null;
    }
}
