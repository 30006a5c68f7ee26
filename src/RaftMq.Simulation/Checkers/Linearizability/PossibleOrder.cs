namespace RaftMq.Simulation.Checkers;

/// <summary>One order that explains all that was said: where it led, and which calls that are still open have taken effect in it.</summary>
internal sealed class PossibleOrder : IEquatable<PossibleOrder>
{
    /// <summary>Ascending by call.</summary>
    private readonly (long Call, CallEffect Effect)[] _taken;
    private readonly int _hash;

    public PossibleOrder(ObjectState state, (long Call, CallEffect Effect)[] taken)
    {
        State = state;
        _taken = taken;
        HashCode hash = default;
        hash.Add(state);
        foreach ((long call, _) in taken)
        {
            hash.Add(call);
        }

        _hash = hash.ToHashCode();
    }

    public ObjectState State { get; }

    public bool HasTaken(long call) => _taken.Any(taken => taken.Call == call);

    public PossibleOrder Taken(long call, CallEffect effect) =>
        new(effect.State, [.. _taken.Append((call, effect)).OrderBy(static taken => taken.Item1)]);

    /// <summary>The call took effect in such a way that this can be its answer.</summary>
    /// <param name="read">What it found; null when it is no read.</param>
    public bool Says(long call, CallOutcome outcome, ObjectState? read)
    {
        CallEffect effect = _taken.First(taken => taken.Call == call).Effect;
        return effect.Outcome == outcome && (read is not { } found || effect.State.LooksLike(found));
    }

    public PossibleOrder Without(long call) => new(State, [.. _taken.Where(taken => taken.Call != call)]);

    public bool Equals(PossibleOrder? other) => other is not null && State == other.State && _taken.AsSpan().SequenceEqual(other._taken);

    public override bool Equals(object? obj) => Equals(obj as PossibleOrder);

    public override int GetHashCode() => _hash;
}
