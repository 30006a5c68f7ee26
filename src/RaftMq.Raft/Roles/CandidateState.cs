namespace RaftMq.Raft;

/// <summary>
/// Asks for votes: first whether it would get them (pre-candidate), then, in a new term, for the votes themselves. Its own vote counts
/// like any other, once it is durable.
/// </summary>
internal sealed class CandidateState : RoleState
{
    private readonly bool _pre;
    private readonly bool _transfer;
    private readonly VoteTally _tally = new();
    private int _ticksToElection;
    private int _ticksToAskAgain;

    public CandidateState(RaftGroup group, GroupState state, bool pre, bool transfer)
        : base(group, state)
    {
        _pre = pre;
        _transfer = transfer;
        _ticksToElection = state.DrawElectionTicks();
        _ticksToAskAgain = state.Config.HeartbeatTicks;
    }

    public override Role Role => _pre ? Role.PreCandidate : Role.Candidate;

    public override bool HearsLeader => State.Config.LeaseReads && State.HearsLeader;

    /// <summary>To be called once this object is the group's role: a lone voter's pre-vote succeeds on the spot.</summary>
    public void Start()
    {
        Ask();
        if (_pre)
        {
            Answered(State.Config.Self, VoteAnswer.Granted);
        }
    }

    public override void Tick()
    {
        State.TicksSinceLeader++;
        if (--_ticksToElection <= 0)
        {
            if (State.MayCampaign)
            {
                Group.Campaign(transfer: false);
            }
            else
            {
                Group.BecomeFollower(State.Term, leader: null);
            }

            return;
        }

        if (--_ticksToAskAgain <= 0)
        {
            _ticksToAskAgain = State.Config.HeartbeatTicks;
            Ask();
        }
    }

    public override void Step(ReplicaId from, RaftMessage message)
    {
        switch (message)
        {
            case PreVoteReply m when _pre && (m.Term == State.Term.Next || !(m.Granted || m.Abstains)):
                Answered(from, AnswerOf(m.Granted, m.Abstains));
                break;
            case VoteReply m when !_pre:
                Answered(from, AnswerOf(m.Granted, m.Abstains));
                break;
            default:
                if (MessageCheck.IsOfLeader(message))
                {
                    // Somebody else won this term (Raft 5.2).
                    Probe.Reached(RareBranch.OtherLeaderOfTerm);
                    Group.BecomeFollower(State.Term, from).Step(from, message);
                }

                break;
        }
    }

    public override void Persisted()
    {
        if (!_pre && State.HardStateDurable)
        {
            Answered(State.Config.Self, VoteAnswer.Granted);
        }
    }

    public override void Restarted(ReplicaId replica) => _tally.Forget(replica);

    public override void Woken()
    {
        // A candidate is never quiet.
    }

    // Requests and answers get lost; those who have not answered are asked again.
    private void Ask()
    {
        Membership membership = State.Log.Membership;
        AskList(membership.Voters, null);
        AskList(membership.OutgoingVoters, membership.Voters);
    }

    private void AskList(IReadOnlyList<ReplicaId> voters, IReadOnlyList<ReplicaId>? asked)
    {
        foreach (ReplicaId voter in voters)
        {
            if (voter != State.Config.Self && !_tally.HasAnswer(voter) && (asked is null || !Membership.Has(asked, voter)))
            {
                State.Send(voter, Request());
            }
        }
    }

    private RaftMessage Request() => _pre
        ? new PreVoteRequest(State.Term.Next, State.Log.LastIndex, State.Log.LastTerm)
        : new VoteRequest(State.Term, State.Log.LastIndex, State.Log.LastTerm, _transfer);

    private static VoteAnswer AnswerOf(bool granted, bool abstains) =>
        granted ? VoteAnswer.Granted : abstains ? VoteAnswer.Abstained : VoteAnswer.Refused;

    private void Answered(ReplicaId voter, VoteAnswer answer)
    {
        _tally.Record(voter, answer);
        switch (_tally.Outcome(State.Log.Membership))
        {
            case VoteOutcome.Won when _pre:
                Group.BecomeCandidate(transfer: false);
                break;
            case VoteOutcome.Won when State.HardStateDurable:
                Group.BecomeLeader();
                break;
            case VoteOutcome.Lost:
                Group.BecomeFollower(State.Term, leader: null);
                break;
            default:
                break;
        }
    }
}
