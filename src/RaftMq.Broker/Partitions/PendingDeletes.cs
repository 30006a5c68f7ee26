using RaftMq.Broker.Controller;

namespace RaftMq.Broker.Partitions;

/// <summary>DeleteRecords requests that wait for the log start to reach them, each until its own deadline.</summary>
internal sealed class PendingDeletes
{
    /// <summary>A deletion is rare and covers all before it: who has so many waiting has something else wrong.</summary>
    public const int WaitingMax = 1_000;

    private readonly Queue<(long Offset, long DeadlineMs, IAdminCompletion Completion)> _waiting = new();

    public int Count => _waiting.Count;

    /// <summary>Where the log has to start for all of them to be done; 0 when none waits.</summary>
    public long HighestOffset { get; private set; }

    public void Add(long offset, long deadlineMs, IAdminCompletion completion)
    {
        _waiting.Enqueue((offset, deadlineMs, completion));
        HighestOffset = Math.Max(HighestOffset, offset);
    }

    /// <summary>Answers those that are done or overdue; the others keep their order.</summary>
    public void Answer(long logStart, long nowMs)
    {
        HighestOffset = 0;
        for (int count = _waiting.Count; count > 0; count--)
        {
            (long offset, long deadlineMs, IAdminCompletion completion) = _waiting.Dequeue();
            if (logStart >= offset)
            {
                completion.Completed(new AdminResult(AdminOutcome.Done, Number: logStart));
            }
            else if (nowMs >= deadlineMs)
            {
                completion.Completed(new AdminResult(
                    AdminOutcome.TimedOut, "The new log start is not committed yet; it may still become so."));
            }
            else
            {
                Add(offset, deadlineMs, completion);
            }
        }
    }

    public void RefuseAll()
    {
        HighestOffset = 0;
        while (_waiting.TryDequeue(out (long Offset, long DeadlineMs, IAdminCompletion Completion) waiting))
        {
            waiting.Completion.Completed(new AdminResult(AdminOutcome.NotLeader, "The partition's leader changed."));
        }
    }
}
