using RaftMq.Fuzz.Engine;
using RaftMq.Kafka.Connections;

namespace RaftMq.Fuzz.Kafka;

/// <summary>The place of one answer: exactly one end, once.</summary>
internal sealed class FuzzResponse : IPendingResponse
{
    private int _ends;

    public bool IsEnded => _ends > 0;

    public bool IsClosed { get; private set; }

    /// <summary>With its length prefix; null without an answer.</summary>
    public byte[]? Frame { get; private set; }

    public void Complete(KafkaResponse response)
    {
        Frame = [.. response.Buffers.SelectMany(piece => piece.ToArray())];
        Oracle.Holds(Frame.Length == response.LengthBytes, "an answer is as long as it says");
        response.Dispose();
        End();
    }

    public void CompleteWithNothing() => End();

    public void Close(string reason)
    {
        Oracle.Holds(reason.Length > 0, "a connection is closed for a reason");
        IsClosed = true;
        End();
    }

    private void End() => Oracle.Holds(Interlocked.Increment(ref _ends) == 1, "a request is answered once");
}
