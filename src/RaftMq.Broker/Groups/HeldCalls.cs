namespace RaftMq.Broker.Groups;

/// <summary>
/// Calls that came to a coordinator while its leadership settles or is handed over, in order of arrival, each until its deadline. Clients
/// ask again on COORDINATOR_LOAD_IN_PROGRESS, but not for long: librdkafka's commits twice, 0.1 s apart.
/// </summary>
internal sealed class HeldCalls(GroupLimits limits)
{
    private readonly Queue<(ICoordinatorCall Call, long DeadlineMs)> _calls = new();

    public int Count => _calls.Count;

    /// <summary>False when too many wait already.</summary>
    public bool TryHold(ICoordinatorCall call, long nowMs)
    {
        if (_calls.Count >= limits.CallsHeldMax)
        {
            return false;
        }

        _calls.Enqueue((call, nowMs + limits.CallHeldMsMax));
        return true;
    }

    /// <summary>The first one, when it need not wait any more or has waited long enough.</summary>
    public bool TryTake(bool isSettling, long nowMs, out ICoordinatorCall call)
    {
        call = null!;
        if (!_calls.TryPeek(out (ICoordinatorCall Call, long DeadlineMs) first) || (isSettling && nowMs < first.DeadlineMs))
        {
            return false;
        }

        call = _calls.Dequeue().Call;
        return true;
    }
}
