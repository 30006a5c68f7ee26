using RaftMq.Raft;

namespace RaftMq.Broker.Partitions;

/// <summary>
/// What all groups of a shard may hold that is not committed yet (design 8): when the quorum is gone, memory stops growing here and
/// producers wait (BOUNDED, R-19).
/// </summary>
internal sealed class UncommittedBudget(long bytesMax)
{
    public long BytesMax => bytesMax;

    public long UsedBytes { get; private set; }

    /// <summary>One entry always fits, so that no batch waits for ever.</summary>
    public bool HasRoom(int bytes) => UsedBytes == 0 || UsedBytes + bytes <= bytesMax;

    public void Take(int bytes) => UsedBytes += bytes;

    public void Release(long bytes)
    {
        UsedBytes -= bytes;
        Invariant.Holds(UsedBytes >= 0);
    }
}
