using RaftMq.Conformance;

// Most of a case is waiting for the cluster or for a client's own timers, so a few run at once even on two cores.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
[assembly: AssemblyFixture(typeof(SharedCluster))]

namespace RaftMq.Conformance;

internal static class ConformanceSettings
{
    /// <summary>A topic of its own for each test, so that they share a cluster in any order.</summary>
    public static string NewTopic(string what) => $"{what}-{Guid.NewGuid():N}"[..Math.Min(what.Length + 9, 60)];
}
