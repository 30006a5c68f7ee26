using RaftMq.Broker.Environment;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Disk;

/// <summary>One work on its way to the disk and back; belongs to its queue, which uses it again.</summary>
internal sealed class DiskTicket(DiskQueue queue) : SectionWork
{
    /// <summary>For the lane's queue and the free list.</summary>
    public DiskTicket? NextTicket { get; set; }

    public DiskWork? Work { get; set; }

    public DiskFullException? Full { get; set; }

    public DiskQueue Queue { get; } = queue;

    /// <summary>Inside the section that submitted.</summary>
    public override void Run() => Queue.Completed(this);
}
