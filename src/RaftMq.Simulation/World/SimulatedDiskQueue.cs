using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.World;

/// <summary>
/// The disk's lanes in virtual time. Work is executed as late as it can be, at the instant of its completion, so that it reads its
/// buffers when the slowest disk would; its completion goes to the section a moment later, so that a crash may fall between. While the process
/// stands still, what is with the disk goes on, and completions wait.
/// </summary>
internal sealed class SimulatedDiskQueue(
    NodeLife life, SimulationWorld world, RandomSource random, IDisk disk, DiskPace pace, ISection section) : IDiskQueue
{
    /// <summary>Longer than any work of a healthy disk.</summary>
    private const long StepUsMax = 500_000;

    private readonly Queue<DiskWork>[] _waiting = [[], [], []];
    private readonly int[] _running = new int[3];

    public void Submit(DiskLane lane, DiskWork work)
    {
        // Its completion may come, in the section, before the submitter goes on.
        Invariant.Holds(section is SimulatedSection { IsInside: true });
        _waiting[(int)lane].Enqueue(work);
        StartNext(lane);
    }

    private void StartNext(DiskLane lane)
    {
        int abreast = lane == DiskLane.Read ? 3 : 1;
        while (_running[(int)lane] < abreast && _waiting[(int)lane].TryDequeue(out DiskWork? work))
        {
            _running[(int)lane]++;
            ExecuteAfter(pace.DrawUs(lane, random), lane, work);
        }
    }

    /// <summary>In steps: what is under way when a slow disk is well again is done soon, or a fault would go on for long after it is over.</summary>
    private void ExecuteAfter(long delayUs, DiskLane lane, DiskWork work)
    {
        long stepUs = Math.Min(delayUs, StepUsMax);
        world.AfterAlsoPaused(stepUs, life, () =>
        {
            if (stepUs == delayUs || pace.SlownessOf(lane) == 1)
            {
                Execute(lane, work);
            }
            else
            {
                ExecuteAfter(delayUs - stepUs, lane, work);
            }
        });
    }

    private void Execute(DiskLane lane, DiskWork work)
    {
        if (pace.StalledUntilUs(lane) > world.NowUs)
        {
            world.AfterAlsoPaused(Math.Min(pace.StalledUntilUs(lane) - world.NowUs, StepUsMax), life, () => Execute(lane, work));
            return;
        }

        DiskFullException? full = null;
        try
        {
            work.Execute(disk);
        }
        catch (DiskFullException fault)
        {
            full = fault;
        }
        catch (DiskFaultException fault)
        {
            life.Fatal("the disk failed", fault);
        }

        world.Trace.Add(world.NowUs, TraceKind.DiskWork, life.Node.Id.Value, (long)lane);
        Completion completion = new(work, full);
        world.After(random.Next(2, 60), life, () =>
        {
            _running[(int)lane]--;
            section.Post(completion);
            StartNext(lane);
        });
    }

    private sealed class Completion(DiskWork work, DiskFullException? full) : SectionWork
    {
        public override void Run()
        {
            if (full is null)
            {
                work.Complete();
            }
            else
            {
                work.Full(full);
            }
        }
    }
}
