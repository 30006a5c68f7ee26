namespace RaftMq.Broker.Shards;

/// <summary>
/// Whose append a node took last although the journal's queue was full. What fills the queue may be nothing but entries that groups give the journal again, to free
/// its oldest file; they stop when these are committed, and where the queues of all replicas are full, that takes appends. One at a time in a node, so that
/// the queue's limit is passed by one append.
/// </summary>
internal sealed class PastFullQueue
{
    private Replica? _last;

    public bool MayTake(Replica replica)
    {
        if (_last is { HasAllDurable: false } other && other != replica)
        {
            return false;
        }

        _last = replica;
        return true;
    }
}
