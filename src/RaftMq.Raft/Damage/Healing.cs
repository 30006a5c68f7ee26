namespace RaftMq.Raft;

/// <summary>
/// What a damaged replica may do until it is healed; tests/RaftMq.Raft.Tests/Models/DamageModel tries all of it. It never campaigns. It
/// votes by what it held, and abstains where that is unknown or refuses more than it must. It follows a leader like any other, and what it
/// acknowledges it has; but one that lost its term follows nobody before every other voter has told it its own: it may have promised to
/// follow none of an older one. It is healed once its durable log holds as much as it did before; where that is unknown, once its durable
/// log equals a leader's as far as that one's reached after this start, and all of that is committed.
/// </summary>
internal sealed class Healing(RaftConfig config, ReplicaDamage damage)
{
    private readonly List<ReplicaId> _termsHeard = [];
    private (Term Term, LogIndex Through)? _target;
    private int _ticksToAsk;

    /// <summary>Null: unknown.</summary>
    public LogPosition? Held => damage.HardStateLost ? null : damage.Held;

    /// <summary>
    /// Every other voter has told its term, or the own one is known. Until then no leader is heard and nothing acknowledged. Asked anew each time:
    /// what a leader sends may name voters that were not known when it was first heard.
    /// </summary>
    public bool KnowsTerm(GroupState state) =>
        PlantedBug.TermFloorIgnored || !damage.HardStateLost || (KnowsVoters(state) && OtherVoters(state).All(_termsHeard.Contains));

    /// <summary>The record that ends the damage is on its way to the disk.</summary>
    public bool IsEnding { get; set; }

    public void Tick(GroupState state)
    {
        if (KnowsTerm(state) || --_ticksToAsk > 0)
        {
            return;
        }

        _ticksToAsk = config.HeartbeatTicks;
        foreach (ReplicaId voter in OtherVoters(state))
        {
            if (!_termsHeard.Contains(voter))
            {
                state.Send(voter, new TermQuery(state.Term, config.Boot));
            }
        }
    }

    /// <summary>The group has entered the answer's term already, if that is higher.</summary>
    public void TermHeard(ReplicaId from, TermAnswer answer)
    {
        if (answer.AskerBoot == config.Boot && !_termsHeard.Contains(from))
        {
            _termsHeard.Add(from);
        }
    }

    /// <summary>A leader was heard: it is asked how far its log reaches, until it has told.</summary>
    public void LeaderHeard(GroupState state, ReplicaId leader)
    {
        if (!IsEnding && Held is null && _target?.Term != state.Term)
        {
            state.Send(leader, new HealQuery(state.Term, config.Boot));
        }
    }

    public void Told(GroupState state, HealThrough told)
    {
        if (told.AskerBoot == config.Boot && _target?.Term != state.Term)
        {
            _target = (state.Term, told.LastIndex);
        }
    }

    /// <summary>Nothing that this replica ever acknowledged can be missing any more.</summary>
    public bool IsWhole(GroupState state) => !IsEnding && ((PlantedBug.HealedTooEarly && state.Leader is not null) || (Held is { } held ? HoldsAgain(state, held) : HasAllOfLeader(state)));

    /// <summary>
    /// Its last entry is of the same term and not before the one it held, so it is the same log that far (Raft 5.3); or of a later one, and
    /// then it came from a leader that had all that was committed before (Raft 5.4).
    /// </summary>
    private static bool HoldsAgain(GroupState state, LogPosition held) =>
        state.Log.Durable == state.Log.LastIndex && new LogPosition(state.Log.LastTerm, state.Log.LastIndex).IsAtLeast(held);

    private bool HasAllOfLeader(GroupState state) =>
        KnowsTerm(state) && _target is { } target && target.Term == state.Term
        && state.Acknowledgeable >= target.Through && state.Log.Commit >= target.Through;

    /// <summary>A replica that came by a movement and lost all of its log knows none, and can't know whom it promised what.</summary>
    private static bool KnowsVoters(GroupState state) => state.Log.Membership.Voters.Count > 0;

    /// <summary>As far as the log here tells who votes, in the newest membership and in the last committed one.</summary>
    private IEnumerable<ReplicaId> OtherVoters(GroupState state)
    {
        Membership newest = state.Log.Membership;
        Membership committed = state.Log.CommittedMembership;
        return newest.Voters.Concat(newest.OutgoingVoters).Concat(committed.Voters).Concat(committed.OutgoingVoters)
            .Where(voter => voter != config.Self).Distinct();
    }
}
