using RaftMq.Broker.Controller;
using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// This node's line to the controller's leader, wherever it is: asks, asks again when the leader moved or an answer is lost, gives up
/// at the deadline. One leader carries a request out once (<see cref="RepeatedRequests"/>); two leaders may do so twice: the controller's decisions
/// are such that the second time is refused or without effect. A creation is known by the topic's id, which who asks has drawn.
/// </summary>
internal sealed class ControllerLink(PeerSender self, PeerOutbox outbox)
{
    /// <summary>Questions that may be open at a time.</summary>
    private const int OpenMax = 10_000;

    /// <summary>
    /// Bytes of a question. The longest that can be carried out, ten thousand partitions and where each is to lie, have less than one MiB; a
    /// client's request may have a hundred, and what does not fit a frame would end this node.
    /// </summary>
    internal const int QuestionBytesMax = 8 << 20;

    /// <summary>A question without an answer is sent again, to whoever leads by then.</summary>
    private const int AskAgainMs = 1_000;

    /// <summary>A leader that says it is none is asked again after this, when nothing else was heard.</summary>
    private const int RefusedAgainMs = 100;

    private readonly SortedDictionary<long, Question> _open = [];
    private readonly RepeatedRequests _asked = new();

    /// <summary>
    /// Begins with the boot number: an answer to a question of before this node's restart may still come, and must not be taken for
    /// the answer to another one.
    /// </summary>
    private long _nextId = (self.Boot.Value << 32) + 1;

    /// <summary>As last heard: an answer comes long after its question, and counts from when it comes.</summary>
    private long _nowMs;

    /// <summary>The controller's replica on this node; null while there is none.</summary>
    public ControllerMachine? Local { get; set; }

    private sealed class Question(ControllerRequest request, byte[] body, long deadlineMs, Action<ControllerResponse> respond)
    {
        public ControllerRequest Request { get; } = request;

        public ReadOnlyMemory<byte> Body { get; } = body;

        public long DeadlineMs { get; } = deadlineMs;

        public Action<ControllerResponse> Respond { get; } = respond;

        public long AskAgainAtMs { get; set; }
    }

    public void Ask(ControllerRequest request, NodeId? leader, long nowMs, long deadlineMs, Action<ControllerResponse> respond)
    {
        _nowMs = nowMs;
        if (_open.Count >= OpenMax)
        {
            respond(TimedOut("Too many requests to the controller are open on this node."));
            return;
        }

        byte[] body = AdminCodec.Encode(request);
        if (body.Length > QuestionBytesMax)
        {
            respond(new ControllerResponse(
                new AdminResult(AdminOutcome.Refused, $"The request has {body.Length} bytes, {QuestionBytesMax} may be; ask for less at a time."),
                LogIndex.Zero));
            return;
        }

        long id = _nextId++;
        var question = new Question(request, body, deadlineMs, respond);
        _open.Add(id, question);
        Send(id, question, leader);
    }

    /// <summary>Another node asks the controller's leader, which may be here.</summary>
    public void Requested(ReplicaId from, PeerMessage.Request request)
    {
        if (AdminCodec.TryDecodeRequest(request.Body.Span) is not { } asked)
        {
            return;
        }

        void Respond(ControllerResponse response) =>
            outbox.Add(from.Node, new PeerMessage.Response(request.Id, AdminCodec.Encode(response)));

        if (Local is null)
        {
            Respond(new ControllerResponse(new AdminResult(AdminOutcome.NotController), LogIndex.Zero));
            return;
        }

        _asked.Do(from, request.Id, asked, Local, Respond);
    }

    public void Responded(PeerMessage.Response response, long nowMs)
    {
        _nowMs = nowMs;
        if (AdminCodec.TryDecodeResponse(response.Body.Span) is { } answer)
        {
            Answered(response.Id, answer);
        }
    }

    public void Tick(NodeId? leader, long nowMs)
    {
        _nowMs = nowMs;
        foreach (long id in _open.Keys.ToArray())
        {
            if (!_open.TryGetValue(id, out Question? question))
            {
                continue;
            }

            if (nowMs >= question.DeadlineMs)
            {
                _open.Remove(id);
                question.Respond(TimedOut("The controller did not answer in time."));
            }
            else if (nowMs >= question.AskAgainAtMs)
            {
                Send(id, question, leader);
            }
        }
    }

    private void Send(long id, Question question, NodeId? leader)
    {
        question.AskAgainAtMs = _nowMs + (leader is null ? RefusedAgainMs : AskAgainMs);
        if (leader is not { } node)
        {
            return;
        }

        if (node == self.Replica.Node)
        {
            if (Local is { } local)
            {
                _asked.Do(self.Replica, id, question.Request, local, answer => Answered(id, answer));
            }
        }
        else
        {
            outbox.Add(node, new PeerMessage.Request(id, question.Body));
        }
    }

    private void Answered(long id, ControllerResponse answer)
    {
        if (!_open.TryGetValue(id, out Question? question))
        {
            return;
        }

        if (answer.Result.Outcome == AdminOutcome.NotController)
        {
            question.AskAgainAtMs = _nowMs + RefusedAgainMs;
            return;
        }

        _open.Remove(id);
        question.Respond(answer);
    }

    private static ControllerResponse TimedOut(string message) =>
        new(new AdminResult(AdminOutcome.TimedOut, message), LogIndex.Zero);
}
