using System.Diagnostics;

namespace RaftMq.Raft;

/// <summary>Marks <see cref="RareBranch"/>es. The marks are in the configuration Planted only; what is built to be run has none.</summary>
public static class Probe
{
#if PLANTED
    /// <summary>Is told on this thread, which runs one simulated world at a time.</summary>
    [ThreadStatic]
#pragma warning disable CA2211 // Of the simulator's own configuration.
    public static Action<RareBranch>? Observer;
#pragma warning restore CA2211
#endif

    [Conditional("PLANTED")]
    public static void Reached(RareBranch branch)
    {
#if PLANTED
        Observer?.Invoke(branch);
#endif
    }

    /// <summary>As the other, where the branch is a condition that holds.</summary>
    [Conditional("PLANTED")]
    public static void ReachedWhen(bool holds, RareBranch branch)
    {
        if (holds)
        {
            Reached(branch);
        }
    }
}
