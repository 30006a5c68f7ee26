using System.Diagnostics;
using RaftMq.Simulation;

namespace RaftMq.Cli.Campaigns;

/// <summary>
/// Runs a campaign's seeds on all cores and writes down what ended, so that killing it costs no more than the runs that were under way. A result counts once
/// all seeds before it have ended.
/// </summary>
/// <param name="run">One run; called by several threads at once.</param>
/// <param name="write">Called after each run that counts, by one thread at a time.</param>
internal sealed class CampaignRunner(Campaign begun, Func<ulong, SimulationResult> run, Action<Campaign> write)
{
    // Guards all that is below.
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, SimulationResult> _ahead = [];
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly TimeSpan _cpuAtStart = CpuTime();
    private readonly (double Cpu, double Real) _secondsBefore = (begun.CpuSeconds, begun.RealSeconds);
    private Campaign _campaign = begun;

    /// <param name="seeds">All runs that are wanted, those that ended before included.</param>
    /// <param name="cancellation">No more runs are begun; those under way end.</param>
    /// <exception cref="Exception">The first that a run or the writing threw.</exception>
    public async Task<Campaign> GoAsync(long seeds, CancellationToken cancellation)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        long next = _campaign.Finished;
        bool TryNext(out ulong seed)
        {
            lock (_gate)
            {
                bool isThere = next < seeds && !broken.IsCancellationRequested;
                seed = isThere ? _campaign.FirstSeed + (ulong)next++ : 0;
                return isThere;
            }
        }

        Task[] workers =
        [
            .. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    try
                    {
                        while (TryNext(out ulong seed))
                        {
                            Ended(run(seed));
                        }
                    }
                    catch
                    {
                        broken.Cancel();
                        throw;
                    }
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)),
        ];
        await Task.WhenAll(workers);
        return _campaign;
    }

    private static TimeSpan CpuTime()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private void Ended(SimulationResult result)
    {
        lock (_gate)
        {
            _ahead.Add(result.Seed, result);
            bool counts = false;
            while (_ahead.Remove(_campaign.FirstSeed + (ulong)_campaign.Finished, out SimulationResult? next))
            {
                _campaign = _campaign.With(next);
                counts = true;
            }

            if (counts)
            {
                _campaign = _campaign with
                {
                    CpuSeconds = _secondsBefore.Cpu + (CpuTime() - _cpuAtStart).TotalSeconds,
                    RealSeconds = _secondsBefore.Real + Stopwatch.GetElapsedTime(_startedAt).TotalSeconds,
                };
                write(_campaign);
            }
        }
    }
}
