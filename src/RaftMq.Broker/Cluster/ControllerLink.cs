using RaftMq.Broker.Controller;
using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// This node's line to the controller's leader, wherever it is: asks, asks again when the leader moved or an answer is lost, gives up
/// at the deadline. Whatever an operator or a client asks for is carried out once however often it is sent (<see cref="RequestMemory"/>); what nodes tell
/// by themselves, and what only asks, may be heard as often as it comes.
/// </summary>
/// <param name="startId">As this node registers with it.</param>
internal sealed class ControllerLink(PeerSender self, ulong startId, PeerOutbox outbox)
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

    /// <summary>
    /// Begins with the boot number: an answer to a question of before this node's restart may still come, and must not be taken for
    /// the answer to another one; and all questions of before the restart are below those after it.
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

        long id = _nextId++;
        if (request is ControllerRequest.Administer { Command.ChangesNothing: false } administer)
        {
            request = new ControllerRequest.Once(startId, _open.Count > 0 ? _open.Keys.First() : id, administer);
        }

        byte[] body = AdminCodec.Encode(request);
        if (body.Length > QuestionBytesMax)
        {
            respond(new ControllerResponse(
                new AdminResult(AdminOutcome.Refused, $"The request has {body.Length} bytes, {QuestionBytesMax} may be; ask for less at a time."),
                LogIndex.Zero));
            return;
        }

        var question = new Question(request, body, deadlineMs, respond);
        _open.Add(id, question);
        Send(id, question, leader);
    }

    /// <summary>Another node asks the controller's leader, which may be here.</summary>
    public void Requested(ReplicaId from, PeerMessage.Request request)
    {
        if (AdminCodec.TryDecodeRequest(request.Body.Span) is not { } asked || asked is ControllerRequest.Once { LowestOpen: var lowest } && lowest > request.Id)
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

        Carry(Local, from, request.Id, asked, Respond);
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
                Carry(local, self.Replica, id, question.Request, answer => Answered(id, answer));
            }
        }
        else
        {
            outbox.Add(node, new PeerMessage.Request(id, question.Body));
        }
    }

    private static void Carry(
        ControllerMachine controller, ReplicaId from, long number, ControllerRequest request, Action<ControllerResponse> respond)
    {
        if (request is ControllerRequest.Once once)
        {
            controller.Request(once.Request, new RequestId(from, once.StartId, number, once.LowestOpen), respond);
        }
        else
        {
            controller.Request(request, id: null, respond);
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
