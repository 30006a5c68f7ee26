namespace RaftMq.Broker.Leadership;

/// <summary>
/// Whether the link to one other node counts as broken. It does when it was broken for a second more than it was not, and then for a while longer: what left
/// because of it must not come back with the first good moment. A link that breaks again and again is believed for longer each time, as a slow disk is
/// (<see cref="SlowDiskWatch"/>).
/// </summary>
internal sealed class LinkWatch
{
    /// <summary>
    /// Broken for this much longer than not. A node that starts or dies is heard of by all within a few beats, but not in the same one, and a lost word is said again
    /// within half of this (<see cref="Connectivity.RepeatMs"/>).
    /// </summary>
    public const int BrokenMsMax = 1_000;

    /// <summary>How long it counts the first time.</summary>
    public const int HoldMsMin = 2_000;

    /// <summary>How long it counts at most; and after so long without trouble the next is a first time again.</summary>
    public const int HoldMsMax = 64_000;

    /// <summary>A process that was stopped for long has not looked meanwhile. Two beats.</summary>
    private const int LookMsMax = 200;

    private long? _lookedMs;
    private long _brokenMs;
    private int _holdMs = HoldMsMin;
    private long? _untilMs;
    private long _forgivenMs;

    /// <summary>With each beat.</summary>
    /// <returns>The link is broken, or was so lately.</returns>
    public bool CountsAsBroken(long nowMs, bool isBroken)
    {
        long passedMs = Math.Min(nowMs - (_lookedMs ?? nowMs), LookMsMax);
        _lookedMs = nowMs;
        _brokenMs = Math.Clamp(_brokenMs + (isBroken ? passedMs : -passedMs), 0, BrokenMsMax);
        if (_brokenMs == BrokenMsMax)
        {
            if (_untilMs is null)
            {
                _holdMs = nowMs >= _forgivenMs ? HoldMsMin : Math.Min(2 * _holdMs, HoldMsMax);
            }

            _untilMs = nowMs + _holdMs;
            _forgivenMs = nowMs + _holdMs + HoldMsMax;
        }
        else if (nowMs >= _untilMs)
        {
            _untilMs = null;
        }

        return _untilMs is not null;
    }
}
