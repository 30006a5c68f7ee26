using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Disk;

/// <summary>
/// A disk queue that does nothing by itself: the harness says when the next work of a lane executes and when its completion comes back.
/// Buffers are thus read as late as the harness likes, which is what a real disk may do.
/// </summary>
public sealed class SteppedDiskQueue(IDisk disk) : IDiskQueue
{
    private readonly Queue<DiskWork>[] _submitted = [new(), new(), new()];
    private readonly Queue<(DiskWork Work, DiskFullException? Full)>[] _executed = [new(), new(), new()];

    public bool IsIdle => _submitted.All(lane => lane.Count == 0) && _executed.All(lane => lane.Count == 0);

    public void Submit(DiskLane lane, DiskWork work) => _submitted[(int)lane].Enqueue(work);

    public int SubmittedCount(DiskLane lane) => _submitted[(int)lane].Count;

    public int ExecutedCount(DiskLane lane) => _executed[(int)lane].Count;

    /// <summary>Executes the lane's next work; false when there is none. Faults and crashes come out of this call.</summary>
    public bool Execute(DiskLane lane)
    {
        if (!_submitted[(int)lane].TryDequeue(out DiskWork? work))
        {
            return false;
        }

        try
        {
            work.Execute(disk);
            _executed[(int)lane].Enqueue((work, null));
        }
        catch (DiskFullException full)
        {
            _executed[(int)lane].Enqueue((work, full));
        }

        return true;
    }

    /// <summary>Hands the lane's oldest executed work back to its owner; false when there is none.</summary>
    public bool Complete(DiskLane lane)
    {
        if (!_executed[(int)lane].TryDequeue(out (DiskWork Work, DiskFullException? Full) done))
        {
            return false;
        }

        if (done.Full is null)
        {
            done.Work.Complete();
        }
        else
        {
            done.Work.Full(done.Full);
        }

        return true;
    }

    public bool Step(DiskLane lane) => Complete(lane) || (Execute(lane) && Complete(lane));

    /// <summary>Until all lanes are empty, journal first.</summary>
    public void RunAll()
    {
        while (Step(DiskLane.Journal) || Step(DiskLane.Background) || Step(DiskLane.Read))
        {
        }
    }
}
