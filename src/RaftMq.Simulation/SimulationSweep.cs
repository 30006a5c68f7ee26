using System.Diagnostics;

namespace RaftMq.Simulation;

/// <summary>Runs many seeds, one per thread at a time: a run shares nothing with another.</summary>
public sealed class SimulationSweep
{
    private readonly Func<ulong, SimulationResult> _run;
    private readonly TextWriter _output;
    private readonly Lock _gate = new();

    /// <param name="run">Runs one seed.</param>
    /// <param name="output">Told each failure as soon as it is there, its replay line first.</param>
    public SimulationSweep(Func<ulong, SimulationResult> run, TextWriter output)
    {
        _run = run;
        _output = output;
    }

    /// <summary>Runs the seeds in order, as many threads as there are cores; after <paramref name="failuresMax"/> failures starts no more.</summary>
    public SweepSummary Run(IEnumerable<ulong> seeds, int failuresMax)
    {
        long started = Stopwatch.GetTimestamp();
        SweepSummary summary = new();
        using IEnumerator<ulong> next = seeds.GetEnumerator();
        Thread[] threads = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() => RunSome(next, summary, failuresMax)))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        summary.RealDuration = Stopwatch.GetElapsedTime(started);
        return summary;
    }

    private void RunSome(IEnumerator<ulong> seeds, SweepSummary summary, int failuresMax)
    {
        while (true)
        {
            ulong seed;
            lock (_gate)
            {
                if (summary.Failures.Count >= failuresMax || !seeds.MoveNext())
                {
                    return;
                }

                seed = seeds.Current;
            }

            SimulationResult result = _run(seed);
            lock (_gate)
            {
                summary.Add(result);
                if (result.Violation is not null || result.Totals.Acks == 0)
                {
                    _output.WriteLine(result.Violation is null ? $"{result.ReplayLine}\n  not one ack" : result.ToString());
                    _output.Flush();
                }
            }
        }
    }
}
