namespace RaftMq.Testing.Seeds;

/// <summary>
/// A random test: seeds 1 to n, of which the long form has more. A failure names its seed; with RAFTMQ_SEED set to it that one is run alone.
/// </summary>
public sealed class RandomRuns
{
    private static readonly string? s_replayed = Environment.GetEnvironmentVariable("RAFTMQ_SEED");

    private readonly int _count;

    private RandomRuns(int count) => _count = count;

    /// <param name="shortForm">How many seeds with every change.</param>
    /// <param name="longForm">How many in the long form.</param>
    /// <param name="run">One run, on any thread; it shares nothing with another.</param>
    /// <param name="take">Given what each run gives, one at a time: adds up what was seen.</param>
    public static RandomRuns Go<T>(int shortForm, int longForm, Func<ulong, T> run, Action<T> take)
    {
        ulong[] seeds = s_replayed is null
            ? [.. Enumerable.Range(1, LongForm.Rounds(shortForm, longForm)).Select(seed => (ulong)seed)]
            : [ulong.Parse(s_replayed)];
        SeedSweep.Run(seeds, seed => RunNamed(seed, run), result =>
        {
            take(result);
            return true;
        });
        return new RandomRuns(seeds.Length);
    }

    /// <summary>Runs in which nothing happens prove nothing: together they must have come to more than so many per run.</summary>
    public void MustHaveSeen(long seen, double perRun, string what)
    {
        // One that is replayed need not have everything in it.
        if (s_replayed is null && seen <= _count * perRun)
        {
            throw new InvalidOperationException($"{seen} {what} in {_count} runs prove nothing");
        }
    }

    private static T RunNamed<T>(ulong seed, Func<ulong, T> run)
    {
        try
        {
            return run(seed);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"replay: RAFTMQ_SEED={seed}: {failure.Message}", failure);
        }
    }
}
