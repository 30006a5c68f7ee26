using RaftMq.Kafka.Connections;

namespace RaftMq.Server.Listeners;

/// <summary>One request's place in the order of its connection's answers.</summary>
internal sealed class PendingResponse(ResponseQueue queue, int apiKey, long startedAt) : IPendingResponse
{
    /// <summary>0: open, 1: one of the three methods was called.</summary>
    private int _answered;

    public int ApiKey { get; } = apiKey;

    public long StartedAt { get; } = startedAt;

    // The four below are written once, before IsReady, under the queue's lock.
    public bool IsReady { get; set; }

    public KafkaResponse? Response { get; set; }

    /// <summary>Of the response, as counted when it came.</summary>
    public long HeldBytes { get; set; }

    public string? CloseReason { get; set; }

    public void Complete(KafkaResponse response)
    {
        if (!TryAnswer())
        {
            response.Dispose();
            return;
        }

        queue.Answered(this, response, closeReason: null);
    }

    public void CompleteWithNothing()
    {
        if (TryAnswer())
        {
            queue.Answered(this, response: null, closeReason: null);
        }
    }

    public void Close(string reason)
    {
        if (TryAnswer())
        {
            queue.Answered(this, response: null, reason);
        }
    }

    // A second answer would shift every later one of the connection: the first stands.
    private bool TryAnswer() => Interlocked.Exchange(ref _answered, 1) == 0;
}
