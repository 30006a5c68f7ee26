using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Leadership;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// Administration asked of this node. Each request goes to the controller's leader; its answer is held back until what it says is true here
/// too: the change is applied, and the leader that was wished for leads. So who asked sees what it did. Clients name topics, and operators number nodes; the
/// request says what had that name or number when it came in, as far as is known here, so that no late copy of it meets the next one.
/// </summary>
/// <param name="applied">The last entry of the controller group that is applied here, whenever it is asked.</param>
/// <param name="beforeAnswer">Called before an answer leaves: what was applied becomes visible first.</param>
internal sealed class AdminRequests(
    ClusterState state, LeaderTable leaders, LeaderFitness fitness, ControllerLink link, IClock clock, Func<LogIndex> applied,
    Action beforeAnswer)
{
    private readonly List<Waiting> _waiting = [];

    private sealed record Waiting(
        ControllerRequest.Administer Request, LogIndex AppliedAt, AdminResult Result, (GroupId Group, NodeId Leader)? Led, long DeadlineMs,
        IAdminCompletion Completion);

    public void Ask(AdminCommand command, NodeId? controllerLeader, long deadlineMs, IAdminCompletion completion)
    {
        if (RefusalOf(command) is { } refusal)
        {
            completion.Completed(refusal);
            return;
        }

        Ask(Meant(command), controllerLeader, deadlineMs, completion);
    }

    private void Ask(ControllerRequest.Administer request, NodeId? controllerLeader, long deadlineMs, IAdminCompletion completion) =>
        link.Ask(request, controllerLeader, clock.MonotonicMs, deadlineMs, response =>
        {
            (GroupId, NodeId)? led = response.Result.Outcome == AdminOutcome.Done && request.Command is AdminCommand.TransferLeadership transfer
                && GroupOf(transfer) is { } group
                    ? (group, transfer.To)
                    : null;
            _waiting.Add(new Waiting(request, response.AppliedAt, response.Result, led, deadlineMs, completion));
            Answer();
        });

    /// <summary>Answers what has become true, and what is overdue.</summary>
    public void Answer()
    {
        long now = clock.MonotonicMs;
        for (int i = 0; i < _waiting.Count; i++)
        {
            Waiting waiting = _waiting[i];
            bool isApplied = waiting.AppliedAt <= applied();
            bool isLed = waiting.Led is not { } wanted || leaders.Image.GetValueOrDefault(wanted.Group).Leader == wanted.Leader;
            if (!(isApplied && isLed) && now < waiting.DeadlineMs)
            {
                continue;
            }

            _waiting.RemoveAt(i--);
            bool isOfFormer = isApplied && IsOfFormerTopic(waiting);
            if (isOfFormer && now < waiting.DeadlineMs)
            {
                // Without a leader: it is sent with the next tick.
                Ask(Meant(waiting.Request.Command), controllerLeader: null, waiting.DeadlineMs, waiting.Completion);
                continue;
            }

            beforeAnswer();
            waiting.Completion.Completed(isApplied && isLed && !isOfFormer
                ? waiting.Result
                : new AdminResult(AdminOutcome.TimedOut,
                    isOfFormer ? $"'{waiting.Request.Command.TopicByName}' was made anew meanwhile; try again."
                    : isLed ? "The change is certain, but this node has not heard of it yet."
                    : $"Node {waiting.Led!.Value.Leader.Value} was made the preferred leader, but does not lead yet."));
        }
    }

    /// <summary>
    /// A leader that would hand over again at once is no wish that the cluster can fulfil; one that is no worse than the leader now is. A disk that is slow now may be fast again soon: then the
    /// wish is kept until that is over.
    /// </summary>
    private AdminResult? RefusalOf(AdminCommand command)
    {
        if (command is AdminCommand.TransferLeadership transfer && GroupOf(transfer) is { } group
            && (fitness.Of(transfer.To, group) & ~LeaderFaults.SlowDisk & ~OfLeader(group)) is var faults and not LeaderFaults.None)
        {
            return new AdminResult(AdminOutcome.Refused,
                $"Node {transfer.To.Value} can't lead {transfer.Topic}/{transfer.Partition} now: {faults.Describe()}. "
                + "Name another node, or mend that first.");
        }

        return null;
    }

    private ControllerRequest.Administer Meant(AdminCommand command) => new(
        command, command.TopicByName is { } name && state.Topics.TryGetValue(name, out TopicInfo? topic) ? topic.Id : 0,
        command.NodeByNumber is { } node ? state.Known(node) : null);

    /// <summary>The name had passed to another topic before this node heard of it, perhaps before the request was made: whoever made it may mean that one.</summary>
    private bool IsOfFormerTopic(Waiting waiting) =>
        waiting is { Result.Outcome: AdminOutcome.UnknownTopic, Request: { Command.TopicByName: { } name } request } && request.TopicId != 0
        && state.Topics.TryGetValue(name, out TopicInfo? topic) && topic.Id != request.TopicId;

    private LeaderFaults OfLeader(GroupId group) =>
        leaders.Image.TryGetValue(group, out LeaderInfo leader) ? fitness.Of(leader.Leader, group) : LeaderFaults.None;

    private GroupId? GroupOf(AdminCommand.TransferLeadership transfer) =>
        state.Topics.TryGetValue(transfer.Topic, out TopicInfo? topic) && (uint)transfer.Partition < (uint)topic.Partitions.Length
            ? topic.Partitions[transfer.Partition].Group
            : null;
}
