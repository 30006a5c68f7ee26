namespace RaftMq.House.Tests.Determinism;

/// <summary>Everything that must not be in a deterministic project, once each. The guard has to find all of it.</summary>
internal sealed class BadKinds
{
    internal readonly Random Field = new(1);

    internal readonly Dictionary<int, List<Thread[]>> Inside = [];

    internal static Task Result() => Task.CompletedTask;

    internal static bool Parameter(CancellationToken token) => token.CanBeCanceled;

    internal static bool Reference(ref Timer? timer) => timer is null;

    internal static string Variable()
    {
        // Nothing names the type here: the analyzer's list would have to know this property.
        var now = TimeProvider.System.GetUtcNow();
        return now.ToString("O");
    }

    internal static async IAsyncEnumerable<int> Async()
    {
        await Task.Yield();
        yield return 1;
    }

    internal static Func<bool> Closure(PeriodicTimer timer) => () => timer.Period > TimeSpan.Zero;

    internal static int Call() => Environment.ProcessorCount + System.Collections.Concurrent.Partitioner.Create(0, 1).GetHashCode();
}
