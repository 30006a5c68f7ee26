using RaftMq.Raft;

namespace RaftMq.Storage.Log;

/// <summary>
/// The budget that the tails of one shard share. It counts bytes and decides who gives memory up: the oldest chunk first, over all
/// groups, of those that are durable, committed, applied and in a segment. Uncommitted entries can't be given up, so
/// <see cref="UsedBytes"/> may pass <see cref="BudgetBytes"/>; nothing new is taken while <see cref="IsFull"/>.
/// One pool belongs to one section; with several shards each gets its share of the node's budget.
/// </summary>
public sealed class TailPool
{
    /// <summary>256 MiB per node (design 8).</summary>
    public const long NodeBudgetBytes = 256L << 20;

    /// <summary>The first chunk of a nearly idle group.</summary>
    public const int ChunkBytesMin = 4 << 10;

    /// <summary>A segment run gathers one or two of these.</summary>
    public const int ChunkBytesMax = 256 << 10;

    /// <summary>Chunks looked at per allocation, so that many idle groups do not make each append slow.</summary>
    private const int EvictionAttempts = 16;

    /// <summary>One turn per chunk rented, in order of renting. A group's turn gives up its own oldest chunk.</summary>
    private readonly Queue<LogTail> _turns = new();

    public TailPool(long budgetBytes = NodeBudgetBytes)
    {
        Invariant.Holds(budgetBytes > 0);
        BudgetBytes = budgetBytes;
    }

    public long BudgetBytes { get; }

    /// <summary>Bytes of all chunks that are in a tail.</summary>
    public long UsedBytes { get; private set; }

    public bool IsOverBudget => UsedBytes > BudgetBytes;

    /// <summary>
    /// Segments are not written as fast as entries come: a quarter over the budget. Who has a choice takes no new entries then (BOUNDED); up to
    /// there the budget breathes, as entries leave it only once they lie in a segment.
    /// </summary>
    public bool IsFull => UsedBytes > BudgetBytes + (BudgetBytes / 4);

    /// <summary>Makes room as far as it can be made. Called by the tails; the shell may call it after entries became evictable.</summary>
    public void Relieve()
    {
        int attempts = Math.Min(EvictionAttempts, _turns.Count);
        while (UsedBytes > BudgetBytes && attempts-- > 0)
        {
            LogTail tail = _turns.Dequeue();
            if (tail.TakeTurn())
            {
                _turns.Enqueue(tail);
            }
        }
    }

    internal void Rented(LogTail owner, int bytes)
    {
        UsedBytes += bytes;
        _turns.Enqueue(owner);
        Relieve();
    }

    internal void Freed(int bytes)
    {
        UsedBytes -= bytes;
        Invariant.Holds(UsedBytes >= 0);
    }
}
