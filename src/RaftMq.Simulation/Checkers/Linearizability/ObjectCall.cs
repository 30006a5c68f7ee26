namespace RaftMq.Simulation.Checkers;

/// <summary>What clients do with an object that many of them use at once: a topic by its name, a committed offset by its group and partition.</summary>
public abstract record ObjectCall
{
    private ObjectCall()
    {
    }

    /// <summary>A topic comes into being.</summary>
    public sealed record Create(long Partitions) : ObjectCall;

    public sealed record Delete : ObjectCall;

    /// <summary>A topic gets more partitions, so many in all.</summary>
    public sealed record Grow(long Partitions) : ObjectCall;

    /// <summary>One value takes the place of another: a setting of a topic that exists.</summary>
    public sealed record Set(long Value) : ObjectCall;

    /// <summary>As <see cref="Set"/>, of what need not exist: an offset.</summary>
    public sealed record Commit(long Value) : ObjectCall;

    /// <summary>What is there?</summary>
    public sealed record Read : ObjectCall;
}

/// <summary>An object between two calls.</summary>
/// <param name="Partitions">0: it does not exist.</param>
/// <param name="Value">0: none was set.</param>
/// <param name="MadeBy">The call that made it; 0 where it does not exist, or need not be made. Nobody who reads sees it.</param>
public readonly record struct ObjectState(long Partitions, long Value, long MadeBy = 0)
{
    public bool Exists => Partitions > 0;

    public bool LooksLike(ObjectState read) => Partitions == read.Partitions && Value == read.Value;

    public override string ToString() => Exists ? $"{Partitions} partitions, value {Value}" : $"absent, value {Value}";
}
