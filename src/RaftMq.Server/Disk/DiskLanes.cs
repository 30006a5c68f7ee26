using RaftMq.Storage.Files;

namespace RaftMq.Server.Disk;

/// <summary>The node's threads for the disk, one set per lane, shared by all sections. Disposing waits for what is being executed.</summary>
internal sealed class DiskLanes : IDisposable
{
    private readonly LaneThreads[] _lanes;

    public DiskLanes(IDisk disk, DiskOptions options, DiskMetrics metrics, Action<string, Exception> fatal)
    {
        _lanes =
        [
            // Two threads, one work at a time: the deputy writes the next batch while the first carries the section (CarrierDuties).
            new LaneThreads(DiskLane.Journal, threads: 2, oneAtATime: true, spin: options.JournalSpin, waitingMax: int.MaxValue, disk, metrics, fatal),
            new LaneThreads(DiskLane.Background, threads: 1, oneAtATime: true, TimeSpan.Zero, waitingMax: int.MaxValue, disk, metrics, fatal),
            new LaneThreads(
                DiskLane.Read, options.ReadThreads, oneAtATime: false, TimeSpan.Zero, options.ReadsWaitingMax, disk, metrics, fatal),
        ];
    }

    public void Submit(DiskLane lane, DiskTicket ticket) => _lanes[(int)lane].Submit(ticket);

    public void Dispose()
    {
        foreach (LaneThreads lane in _lanes)
        {
            lane.Dispose();
        }
    }
}
