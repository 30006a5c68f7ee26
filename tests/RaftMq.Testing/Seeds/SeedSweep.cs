using System.Runtime.ExceptionServices;

namespace RaftMq.Testing.Seeds;

/// <summary>Runs many seeds on all cores: a run shares nothing with another.</summary>
public static class SeedSweep
{
    /// <param name="seeds">Begun in this order; the next one is asked for when a core is free, by one thread at a time.</param>
    /// <param name="run">Runs one seed, on any thread.</param>
    /// <param name="take">Given each result, one at a time and in any order; false: no more seeds are begun.</param>
    /// <exception cref="Exception">The first that a run threw; runs that were under way have ended.</exception>
    public static void Run<T>(IEnumerable<ulong> seeds, Func<ulong, T> run, Func<T, bool> take)
    {
        using IEnumerator<ulong> next = seeds.GetEnumerator();
        Sweep<T> sweep = new(next, run, take);
        Thread[] threads = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(sweep.RunSome))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        sweep.Failure?.Throw();
    }

    private sealed class Sweep<T>(IEnumerator<ulong> seeds, Func<ulong, T> run, Func<T, bool> take)
    {
        // Guards all that is below, the seeds and what take does.
        private readonly Lock _gate = new();
        private bool _isEnough;

        public ExceptionDispatchInfo? Failure { get; private set; }

        public void RunSome()
        {
            try
            {
                while (TryNext(out ulong seed))
                {
                    T result = run(seed);
                    lock (_gate)
                    {
                        _isEnough |= !take(result);
                    }
                }
            }
            catch (Exception failure)
            {
                lock (_gate)
                {
                    Failure ??= ExceptionDispatchInfo.Capture(failure);
                    _isEnough = true;
                }
            }
        }

        private bool TryNext(out ulong seed)
        {
            lock (_gate)
            {
                bool isThere = !_isEnough && seeds.MoveNext();
                seed = isThere ? seeds.Current : 0;
                return isThere;
            }
        }
    }
}
