using RaftMq.Server.Sections;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Disk;

/// <summary>One section's way to the disk: its completions come back into the section. Used inside the section only.</summary>
internal sealed class DiskQueue(ExclusiveSection section, DiskLanes lanes) : IDiskQueue
{
    private DiskTicket? _free;

    public ExclusiveSection Section { get; } = section;

    public void Submit(DiskLane lane, DiskWork work)
    {
        DiskTicket ticket = _free ?? new DiskTicket(this);
        _free = ticket.NextTicket;
        ticket.NextTicket = null;
        ticket.Work = work;
        lanes.Submit(lane, ticket);
    }

    internal void Completed(DiskTicket ticket)
    {
        DiskWork work = ticket.Work!;
        DiskFullException? full = ticket.Full;
        ticket.Work = null;
        ticket.Full = null;
        ticket.NextTicket = _free;
        _free = ticket;
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
