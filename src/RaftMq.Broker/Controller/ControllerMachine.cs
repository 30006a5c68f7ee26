using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Controller;

/// <summary>Hears of what the controller group committed, on every node.</summary>
internal interface IClusterFollower
{
    /// <summary>After the state changed, or was replaced by a snapshot (then <paramref name="command"/> is null).</summary>
    void ClusterChanged(ClusterState state, ClusterCommand? command, LogIndex index);
}

/// <summary>
/// The controller group on one node: the replicated <see cref="ClusterState"/> and, on the leader, the requests. One request is
/// decided and committed at a time, so decisions need no overlay; requests behind it wait in a bounded queue. What is answered from state
/// alone (the topic exists already, there is none of that name) is said only after a quorum has confirmed this leader: one that was cut off
/// does not know what the next one decided. A request with an id is carried out once, however often and to whichever leaders it comes: its answer, a
/// refusal too, is an entry, and is remembered (<see cref="RequestMemory"/>). A leader serves once its own no-op is applied, so it knows of all that
/// leaders before it did.
/// </summary>
internal sealed class ControllerMachine(
    IReplica replica, ControllerDecisions decisions, ClusterState state, IClusterFollower follower, IClock clock)
    : IStateMachine, IRebuildable
{
    private readonly WaitingRequests _waiting = new();
    private (LogIndex Index, Action<ControllerResponse> Respond)? _underWay;

    /// <summary>The first of those that wait is answered from state, once it is certain that this replica leads.</summary>
    private bool _confirming;

    /// <summary>Something is under way or waits.</summary>
    public bool IsBusy => _underWay is not null || _waiting.Count > 0;

    /// <param name="id">Null: without an effect, or the same when it is carried out again.</param>
    public void Request(ControllerRequest request, RequestId? id, Action<ControllerResponse> respond)
    {
        if (!replica.IsLeader)
        {
            respond(Refusal(AdminOutcome.NotController, "This node does not lead the controller group."));
        }
        else if (!_waiting.TryAdd(request, id, respond))
        {
            respond(Refusal(AdminOutcome.TimedOut, "The controller has too much to do; try again."));
        }
        else
        {
            DecideNext();
        }
    }

    /// <summary>Writes what only the leader knows is due (forming the cluster, raising the feature level).</summary>
    public bool TryPropose(ClusterCommand command) => replica.IsServing && _underWay is null && !_confirming && Propose(command, respond: null);

    public void Apply(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        if (CommandIn(header, payload) is not { } command)
        {
            return;
        }

        AdminResult result = state.Apply(command);
        if ((command is ClusterCommand.RequestAnswered answered ? answered.Change : command) is { } change)
        {
            follower.ClusterChanged(state, change, header.Index);
        }

        if (_underWay is { } done && done.Index == header.Index)
        {
            _underWay = null;
            done.Respond(new ControllerResponse(result, header.Index));
        }
    }

    public void WriteSnapshot(ByteWriter writer) => state.WriteSnapshot(writer);

    public bool TryReadSnapshot(ReadOnlySpan<byte> bytes)
    {
        if (!state.TryReadSnapshot(bytes))
        {
            return false;
        }

        follower.ClusterChanged(state, command: null, replica.Applied);
        return true;
    }

    ISecondState IRebuildable.BeginAgain() => new SecondState(this);

    public void StartServing() => DecideNext();

    public void StopServing()
    {
        _confirming = false;
        if (_underWay is { } lost)
        {
            _underWay = null;
            lost.Respond(Refusal(AdminOutcome.NotController, "The controller's leader changed before this was certain."));
        }

        while (_waiting.TryTake(out WaitingRequest? waiting))
        {
            waiting.Respond(Refusal(AdminOutcome.NotController, "The controller's leader changed."));
        }
    }

    public void LeaderIsElsewhere()
    {
    }

    public void AfterProgress() => DecideNext();

    /// <summary>Whoever waits here waits for an entry, and a group with one on its way is not quiet.</summary>
    public bool TicksWhileQuiet => false;

    public void Tick() => DecideNext();

    private void DecideNext()
    {
        while (replica.IsServing && _underWay is null && !_confirming && _waiting.TryPeek(out WaitingRequest? next))
        {
            if (next.Id is { } id && AnswerTo(id) is { } known)
            {
                _waiting.TryTake(out _);
                next.Respond(known);
                continue;
            }

            if (EntryFor(next.Id, decisions.Decide(next.Request)) is { } command)
            {
                if (!Propose(command, next.Respond))
                {
                    // No room now; Tick tries again.
                    return;
                }

                _waiting.TryTake(out _);
            }
            else
            {
                _confirming = true;
                replica.ConfirmLeader(new WhenConfirmed(Confirmed, NotConfirmed));
            }
        }
    }

    /// <summary>Null when the request is to be decided. What was written once needs no quorum to confirm it.</summary>
    private ControllerResponse? AnswerTo(in RequestId id)
    {
        if (!state.IsMember(id.Node) || state.Nodes[id.Node.Node].StartId != id.StartId)
        {
            // The node's registration is on its way, or the process that asked is no more.
            return Refusal(AdminOutcome.NotController, "The asking node is not registered.");
        }

        if (!state.Requests.IsOver(id, out RememberedAnswer? answer))
        {
            return null;
        }

        Probe.Reached(RareBranch.RequestRepeated);
        return answer is null
            ? Refusal(AdminOutcome.TimedOut, "What became of this request is not known any more.")
            : new ControllerResponse(
                new AdminResult(answer.Outcome, answer.Message, answer.Number, answer.TopicId == 0 ? null : state.TopicById(answer.TopicId)), replica.Applied);
    }

    /// <summary>Null when the answer is to be confirmed and not written.</summary>
    private static ClusterCommand? EntryFor(RequestId? id, in Decision decision) => id is { } known && !(PlantedBug.RefusalNotRemembered && decision.Command is null)
        ? new ClusterCommand.RequestAnswered(
            known.Node, known.Number, known.LowestOpen, decision.Answer?.Outcome ?? AdminOutcome.Done, decision.Answer?.Message, decision.Command)
        : decision.Command;

    private void Confirmed()
    {
        _confirming = false;

        // No request was decided meanwhile, so this one is still refused; were it not, the next look proposes it.
        if (replica.IsServing && _underWay is null && _waiting.TryPeek(out WaitingRequest? first)
            && decisions.Decide(first.Request).Answer is { } answer)
        {
            _waiting.TryTake(out _);
            first.Respond(new ControllerResponse(answer, replica.Applied));
        }

        DecideNext();
    }

    private void NotConfirmed()
    {
        _confirming = false;
        DecideNext();
    }

    private bool Propose(ClusterCommand command, Action<ControllerResponse>? respond)
    {
        byte[] payload = command.Encode();
        if (replica.Admit(EntryLayout.HeaderBytes + payload.Length) is not ProposeResult.Admitted admitted)
        {
            return false;
        }

        LogTail tail = replica.Log.Tail;
        EntryHeader header = tail.NextHeader(
            admitted.Term, StateEntryKinds.Cluster, payload.Length, recordCount: 0, clock.UnixMs);
        _underWay = (header.Index, respond ?? (static _ => { }));
        replica.Propose(tail.Encode(header, payload));
        return true;
    }

    /// <summary>Null in consensus' own entries.</summary>
    private static ClusterCommand? CommandIn(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Kind != StateEntryKinds.Cluster)
        {
            return null;
        }

        ClusterCommand? command = ClusterCommand.TryDecode(payload);
        Invariant.Holds(command is not null);
        return command;
    }

    private static ControllerResponse Refusal(AdminOutcome outcome, string message) =>
        new(new AdminResult(outcome, message), LogIndex.Zero);

    private sealed class SecondState(ControllerMachine machine) : ISecondState
    {
        private readonly ClusterState _state = new();

        public void Apply(in EntryHeader header, ReadOnlySpan<byte> payload)
        {
            if (CommandIn(header, payload) is { } command)
            {
                _state.Apply(command);
            }
        }

        public void TakeOver()
        {
            var writer = new ByteWriter();
            _state.WriteSnapshot(writer);
            Invariant.Holds(machine.TryReadSnapshot(writer.Written));
        }
    }
}
