using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// Requests that this node, as the controller's leader, was asked: each is carried out once, however often it comes. Who asks does so again when
/// an answer is late, and by then somebody else may have undone what the first one did: a deleted topic would come back. Knows what this process was asked; a leader
/// elsewhere does not.
/// </summary>
internal sealed class RepeatedRequests
{
    /// <summary>A request is repeated after a second. More than so many a second are more than one leader carries out.</summary>
    private const int KnownMax = 2_000;

    private readonly Dictionary<(ReplicaId From, long Id), Known> _known = [];
    private readonly Queue<(ReplicaId From, long Id)> _order = new();

    public void Do(
        ReplicaId from, long id, ControllerRequest request, ControllerMachine machine, Action<ControllerResponse> respond) =>
        Do(from, id, once => machine.Request(request, once), respond);

    /// <param name="carryOut">Calls what it is given once; not called when it was already.</param>
    /// <param name="respond">Of the last that asked: the way to the others is lost, or the same.</param>
    internal void Do(ReplicaId from, long id, Action<Action<ControllerResponse>> carryOut, Action<ControllerResponse> respond)
    {
        if (!PlantedBug.RepeatedRequestDoneAgain && _known.TryGetValue((from, id), out Known? before))
        {
            Probe.Reached(RareBranch.RequestRepeated);
            before.Respond = respond;
            if (before.Response is { } response)
            {
                respond(response);
            }

            return;
        }

        Known known = new() { Respond = respond };
        Remember((from, id), known);
        carryOut(response =>
        {
            if (response.Result.Outcome is AdminOutcome.NotController or AdminOutcome.TimedOut)
            {
                // Nothing is certain: the next one is to be tried.
                _known.Remove((from, id));
            }
            else
            {
                known.Response = response;
            }

            known.Respond(response);
        });
    }

    private void Remember((ReplicaId From, long Id) key, Known known)
    {
        _known[key] = known;
        _order.Enqueue(key);
        while (_order.Count > KnownMax)
        {
            _known.Remove(_order.Dequeue());
        }
    }

    private sealed class Known
    {
        public required Action<ControllerResponse> Respond { get; set; }

        /// <summary>Null while it is under way.</summary>
        public ControllerResponse? Response { get; set; }
    }
}
