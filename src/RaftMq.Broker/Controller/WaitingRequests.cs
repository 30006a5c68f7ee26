using System.Diagnostics.CodeAnalysis;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>What the controller's leader was asked and has not begun, in the order in which it came; of copies of one request only one.</summary>
internal sealed class WaitingRequests
{
    /// <summary>Requests that wait for the one under way.</summary>
    private const int CountMax = 10_000;

    private readonly Queue<WaitingRequest> _waiting = new();
    private readonly Dictionary<(ReplicaId Node, long Number), WaitingRequest> _byId = [];

    public int Count => _waiting.Count;

    /// <summary>False when there are too many.</summary>
    public bool TryAdd(ControllerRequest request, RequestId? id, Action<ControllerResponse> respond)
    {
        if (id is { } copy && _byId.TryGetValue((copy.Node, copy.Number), out WaitingRequest? same))
        {
            // The way to the one that asked first is lost, or the same.
            Probe.Reached(RareBranch.RequestRepeated);
            same.Respond = respond;
            return true;
        }

        if (_waiting.Count >= CountMax)
        {
            return false;
        }

        var waiting = new WaitingRequest(request, id, respond);
        _waiting.Enqueue(waiting);
        if (id is { } own)
        {
            _byId.Add((own.Node, own.Number), waiting);
        }

        return true;
    }

    public bool TryPeek([NotNullWhen(true)] out WaitingRequest? first) => _waiting.TryPeek(out first);

    public bool TryTake([NotNullWhen(true)] out WaitingRequest? first)
    {
        if (!_waiting.TryDequeue(out first))
        {
            return false;
        }

        if (first.Id is { } id)
        {
            _byId.Remove((id.Node, id.Number));
        }

        return true;
    }
}

/// <param name="id">Null: it may be carried out as often as it comes.</param>
internal sealed class WaitingRequest(ControllerRequest request, RequestId? id, Action<ControllerResponse> respond)
{
    public ControllerRequest Request => request;

    public RequestId? Id => id;

    /// <summary>To the one that asked last.</summary>
    public Action<ControllerResponse> Respond { get; set; } = respond;
}
