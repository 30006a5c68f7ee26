namespace RaftMq.Simulation.Checkers;

/// <summary>
/// The orders in which the calls of one object may have taken effect, each at one instant between its beginning and its end (Herlihy and Wing 1990).
/// Followed call by call (just-in-time linearization, Lowe 2017): kept are all states that the object may be in, with the open calls that have taken
/// effect already. When a call ends only those stay in which it took effect with that answer; when none stays, no order explains what was said.
/// </summary>
internal sealed class Linearization
{
    /// <summary>Calls that never ended may take effect at any time, and each doubles what there is to know. Beyond this nothing is said any more.</summary>
    private const int PossibleMax = 3_000;

    private readonly SortedDictionary<long, ObjectCall> _open = [];

    /// <summary>Whoever made them will never hear of them.</summary>
    private readonly HashSet<long> _lost = [];

    /// <summary>Calls that concern nothing that was made by a call from this one on.</summary>
    private readonly Dictionary<long, long> _notFrom = [];
    private long _newest = -1;
    private HashSet<PossibleOrder> _possible = [new PossibleOrder(default, [])];
    private bool _isUndecided;

    /// <summary>There were too many orders to follow; from there on nothing was checked.</summary>
    public bool IsUndecided => _isUndecided;

    /// <param name="call">Greater than all before.</param>
    public void Started(long call, ObjectCall what)
    {
        _open.Add(call, what);
        _newest = call;
    }

    /// <summary>It may take effect at any later time, or never.</summary>
    public void Lost(long call)
    {
        if (_open.ContainsKey(call))
        {
            _lost.Add(call);
        }
    }

    /// <summary>From here on it concerns nothing that is made by later calls.</summary>
    public void Over(long call)
    {
        if (_open.ContainsKey(call))
        {
            _notFrom.Add(call, _newest + 1);
        }
    }

    /// <summary>False when no order of all calls until now explains all that was said.</summary>
    /// <param name="read">What a read found.</param>
    public bool Ended(long call, CallOutcome outcome, ObjectState read)
    {
        if (!_open.TryGetValue(call, out ObjectCall? what) || _lost.Contains(call) || _isUndecided)
        {
            return true;
        }

        if (outcome == CallOutcome.None)
        {
            Lost(call);
            return true;
        }

        HashSet<PossibleOrder> after = [];
        HashSet<PossibleOrder> seen = [.. _possible];
        Stack<PossibleOrder> next = new(_possible);
        while (!_isUndecided && next.TryPop(out PossibleOrder? possible))
        {
            if (possible.HasTaken(call))
            {
                if (possible.Says(call, outcome, what is ObjectCall.Read ? read : null))
                {
                    after.Add(possible.Without(call));
                }

                continue;
            }

            foreach ((long other, ObjectCall itself) in _open)
            {
                if (possible.HasTaken(other))
                {
                    continue;
                }

                CallEffect effect = EffectOf(other, itself, possible.State);
                bool isLost = _lost.Contains(other);
                if (isLost && effect.State == possible.State)
                {
                    continue;
                }

                // What a lost call would have said does not matter.
                PossibleOrder then = possible.Taken(other, isLost ? effect with { Outcome = CallOutcome.None } : effect);
                if (seen.Add(then))
                {
                    next.Push(then);
                }
            }

            _isUndecided = seen.Count > PossibleMax;
        }

        _open.Remove(call);
        _notFrom.Remove(call);
        _possible = after;
        return _isUndecided || after.Count > 0;
    }

    public string Describe() => string.Join(" or ", _possible.Select(p => p.State.ToString()).Distinct().Take(5));

    private CallEffect EffectOf(long call, ObjectCall what, ObjectState state) => what switch
    {
        ObjectCall.Create create => state.Exists
            ? new CallEffect(state, CallOutcome.Refused) : new CallEffect(new ObjectState(create.Partitions, 0, MadeBy: call), CallOutcome.Done),
        _ when state.Exists && _notFrom.TryGetValue(call, out long from) && state.MadeBy >= from => new CallEffect(state, CallOutcome.None),
        ObjectCall.Delete => state.Exists ? new CallEffect(default, CallOutcome.Done) : new CallEffect(state, CallOutcome.Absent),
        ObjectCall.Grow grow => !state.Exists ? new CallEffect(state, CallOutcome.Absent)
            : state.Partitions >= grow.Partitions ? new CallEffect(state, CallOutcome.Refused)
            : new CallEffect(state with { Partitions = grow.Partitions }, CallOutcome.Done),
        ObjectCall.Set set => state.Exists
            ? new CallEffect(state with { Value = set.Value }, CallOutcome.Done) : new CallEffect(state, CallOutcome.Absent),
        ObjectCall.Commit commit => new CallEffect(new ObjectState(0, commit.Value), CallOutcome.Done),
        _ => new CallEffect(state, CallOutcome.Done),
    };
}

/// <param name="Outcome">What the call says when it took effect so.</param>
internal readonly record struct CallEffect(ObjectState State, CallOutcome Outcome);
