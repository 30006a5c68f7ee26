using RaftMq.Storage.Files;

namespace RaftMq.Fuzz.Disk;

/// <summary>Work waits until it is asked for, then all of it is done in the order in which it came.</summary>
internal sealed class InlineQueue(IDisk disk) : IDiskQueue
{
    private readonly Queue<DiskWork> _waiting = new();

    public void Submit(DiskLane lane, DiskWork work) => _waiting.Enqueue(work);

    public void RunAll()
    {
        while (_waiting.TryDequeue(out DiskWork? work))
        {
            work.Execute(disk);
            work.Complete();
        }
    }
}
