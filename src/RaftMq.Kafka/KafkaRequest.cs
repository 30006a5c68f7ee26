using System.Diagnostics.CodeAnalysis;
using RaftMq.Kafka.Connections;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Raft;

namespace RaftMq.Kafka;

/// <summary>One request of a connection, on its way to exactly one answer.</summary>
internal sealed class KafkaRequest
{
    private readonly KafkaNode node;
    private readonly ReadOnlyMemory<byte> body;
    private readonly IPendingResponse pending;
    private readonly long startedAt;
    private int ended;

    public KafkaRequest(
        KafkaNode node, KafkaSession session, in RequestHeader header, ReadOnlyMemory<byte> body, IPendingResponse pending)
    {
        this.node = node;
        this.body = body;
        this.pending = pending;
        Session = session;
        Header = header;
        startedAt = node.Timers.GetTimestamp();
    }

    public KafkaSession Session { get; }

    public RequestHeader Header { get; }

    public short Version => Header.Version;

    /// <summary>Reads the body; if that cannot be done the connection is closed and there is nothing more to do.</summary>
    public bool TryRead<TRequest>([NotNullWhen(true)] out TRequest? message)
        where TRequest : class, IKafkaMessage<TRequest>
    {
        var reader = new KafkaReader(body, Session.Names, node.Limits.ElementsPerRequestMax);
        if (TRequest.TryRead(ref reader, Version, out message))
        {
            return true;
        }

        Close($"unreadable {Header.Key} request of version {Version}: {reader.FaultText}");
        return false;
    }

    /// <summary>The message is encoded at once and may be changed afterwards; records in it are sent from where they lie.</summary>
    public void Answer(IKafkaMessage message) => Answer(message, Version);

    public void Answer(IKafkaMessage message, short version)
    {
        EncodedResponse response;
        try
        {
            response = new EncodedResponse(message, version, Header.CorrelationId);
        }
        catch (Exception fault) when (fault is not InvariantViolationException)
        {
            Fail(fault);
            return;
        }

        End();
        pending.Complete(response);
    }

    public void AnswerNothing()
    {
        End();
        pending.CompleteWithNothing();
    }

    public void Close(string reason)
    {
        if (Interlocked.Exchange(ref ended, 1) == 0)
        {
            pending.Close(reason);
        }
    }

    /// <summary>A fault of this program: told to the observer, and the connection is closed.</summary>
    public void Fail(Exception fault)
    {
        node.Observer.Failed((short)Header.Key, Version, fault);
        Close($"{Header.Key} request of version {Version} failed");
    }

    private void End()
    {
        Invariant.Holds(Interlocked.Exchange(ref ended, 1) == 0);
        node.Observer.Answered((short)Header.Key, Version, node.Timers.GetElapsedTime(startedAt));
    }
}
