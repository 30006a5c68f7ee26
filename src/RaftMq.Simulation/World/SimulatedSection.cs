using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Simulation.World;

/// <summary>
/// An exclusive section without threads. Who posts and finds it free carries the work through at once, as in the product, or, now and
/// then, some other thread is inside and the work waits a moment: that varies what is batched together.
/// </summary>
internal sealed class SimulatedSection(
    NodeLife life, SimulationWorld world, RandomSource random, ISectionOwner owner) : ISection
{
    /// <summary>As in the product's section.</summary>
    private const int WorksPerTurnMax = 256;

    private readonly Queue<SectionWork> _waiting = [];
    private bool _isInside;
    private bool _isDrainScheduled;

    public bool IsInside => _isInside;

    public void RunFirst(Action start)
    {
        _isInside = true;
        start();
        _isInside = false;
        if (_waiting.Count > 0)
        {
            Drain();
        }
    }

    public void Post(SectionWork work)
    {
        if (!life.IsAlive)
        {
            return;
        }

        _waiting.Enqueue(work);
        if (_isInside || _isDrainScheduled)
        {
            return;
        }

        long busyUs = life.BusyUntilUs - world.NowUs;
        if (busyUs > 0 || random.OneIn(4))
        {
            _isDrainScheduled = true;
            world.After(busyUs > 0 ? busyUs : random.Next(1, 150), life, () =>
            {
                _isDrainScheduled = false;
                Drain();
            });
        }
        else
        {
            Drain();
        }
    }

    private void Drain()
    {
        if (_isInside)
        {
            return;
        }

        _isInside = true;
        while (_waiting.Count > 0)
        {
            int works = 0;
            while (works < WorksPerTurnMax && _waiting.TryDequeue(out SectionWork? work))
            {
                works++;
                work.Run();
            }

            owner.EndTurn();
        }

        _isInside = false;
    }
}
