using RaftMq.Broker.Environment;

namespace RaftMq.Broker.Shards;

/// <summary>
/// Tells the operator once that the disk has no room, and once that it has again. Writers try again all the time and some small ones get
/// through, so it is over only when none has failed for a while.
/// </summary>
internal sealed class RoomWatch(Action<NodeEvent> report)
{
    /// <summary>Looks in a row without a replica in want of room, about a second apart.</summary>
    private const int LooksUntilOver = 5;

    private int _looksWithRoom;

    /// <summary>Told and not over yet.</summary>
    public bool IsFull { get; private set; }

    /// <param name="replicasWithoutRoom">How many replicas could not write their segments or checkpoints when they last tried.</param>
    public void Look(int replicasWithoutRoom)
    {
        if (replicasWithoutRoom > 0)
        {
            _looksWithRoom = 0;
            if (!IsFull)
            {
                IsFull = true;
                report(new NodeEvent(
                    NodeEventKind.DiskFull,
                    $"The disk has no room for {replicasWithoutRoom} replicas: partitions that this node leads take no records until there is; reads go on.",
                    [("replicas", replicasWithoutRoom)]));
            }
        }
        else if (IsFull && ++_looksWithRoom >= LooksUntilOver)
        {
            IsFull = false;
            report(new NodeEvent(NodeEventKind.DiskHasRoom, "The disk has room again.", []));
        }
    }
}
