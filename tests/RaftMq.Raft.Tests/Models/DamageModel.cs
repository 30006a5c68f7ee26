using System.Numerics;

namespace RaftMq.Raft.Tests.Models;

/// <summary>
/// Raft with damaged replicas, as small as can be: every interleaving of its steps within bounds is tried, breadth first, so a violation is
/// shown by as few steps as there can be. A step is a question and its answer in one; either may be lost, and a leader of the past may
/// speak at any time. What a disk has it has at once. Checked: one leader per term (Raft 5.2), each leader has all that was committed before
/// (5.4), and what is committed stays.
/// </summary>
internal sealed class DamageModel(ModelBounds bounds, DamageRules rules)
{
    private const int ReplicasMax = 4;

    private readonly HashSet<State> _seen = [];
    private readonly List<State> _order = [];
    private readonly List<(int Parent, string Step)> _reached = [];
    private readonly ModelReplica[] _replicas = new ModelReplica[ReplicasMax];
    private Ghost _ghost;
    private int _from = -1;
    private string? _fault;
    private string? _violation;

    public ModelResult Run()
    {
        _ghost = new Ghost { Damages = bounds.Damages, Restarts = bounds.Restarts };
        Reached("all is empty");
        for (_from = 0; _from < _order.Count && _violation is null; _from++)
        {
            Assert.True(_order.Count <= bounds.StatesMax, $"more than {bounds.StatesMax} states: nothing is proven");
            TrySteps();
        }

        return new ModelResult(_order.Count, _violation, _violation is null ? [] : StepsToLast());
    }

    private bool Heeds(DamageRules rule) => (rules & rule) != 0;

    private void TrySteps()
    {
        for (int i = 0; i < bounds.Replicas; i++)
        {
            Try(() => Campaign(i));
            Try(() => Propose(i));
            Try(() => Commit(i));
            Try(() => Restart(i));
            Try(() => Heal(i));
            Load();
            for (int kept = _replicas[i].Length; kept >= 0; kept--)
            {
                Try(() => Lose(i, kept, ModelDamage.HeldKnown));
                Try(() => Lose(i, kept, ModelDamage.HeldUnknown));
                Try(() => Lose(i, kept, ModelDamage.TermLost));
            }

            for (int j = 0; j < bounds.Replicas; j++)
            {
                if (i != j)
                {
                    TryBetween(i, j);
                }
            }
        }
    }

    private void TryBetween(int i, int j)
    {
        Try(() => AskVote(i, j, answered: true));
        Try(() => AskVote(i, j, answered: false));
        Try(() => TellTerm(i, j));
        Try(() => TellEnd(i, j));
        Load();
        for (int through = _replicas[i].Length; through >= 0; through--)
        {
            Try(() => Send(i, j, through, answered: true));
            Try(() => Send(i, j, through, answered: false));
        }
    }

    private void Campaign(int i)
    {
        ref ModelReplica self = ref _replicas[i];
        if (self.Role == ModelRole.Leader || self.Term == bounds.TermMax || self.Length == bounds.LengthMax
            || (self.Damage != ModelDamage.None && Heeds(DamageRules.DoesNotCampaign)))
        {
            return;
        }

        self.EnterTerm(self.Term + 1);
        (self.Role, self.Vote, self.Granted) = (ModelRole.Candidate, i + 1, 1 << i);
        Reached($"{i} campaigns");
    }

    private void AskVote(int i, int j, bool answered)
    {
        ref ModelReplica candidate = ref _replicas[i];
        ref ModelReplica voter = ref _replicas[j];
        if (candidate.Role != ModelRole.Candidate || LearnsTerm(i, j, answered))
        {
            return;
        }

        if (voter.Term < candidate.Term)
        {
            voter.EnterTerm(candidate.Term);
        }

        bool isFree = voter.Vote == 0 || voter.Vote == i + 1;
        bool knows = voter.Damage is ModelDamage.None or ModelDamage.HeldKnown || !Heeds(DamageRules.UnknownDoesNotVote);
        if (isFree && knows && IsUpToDate(candidate, voter))
        {
            voter.Vote = i + 1;
            candidate.Granted |= answered ? 1 << j : 0;
        }
        else if (voter.Damage != ModelDamage.None)
        {
            candidate.Abstained |= answered ? 1 << j : 0;
        }

        if (answered && HasWon(candidate))
        {
            Lead(i);
        }

        Reached($"{i} asks {j} for its vote{(answered ? "" : ", the answer is lost")}");
    }

    private bool IsUpToDate(in ModelReplica candidate, in ModelReplica voter)
    {
        (int term, int length) = (voter.LastTerm, voter.Length);
        if (voter.Damage == ModelDamage.HeldKnown && Heeds(DamageRules.VotesByHeld) && !IsAtLeast(term, length, voter.HeldTerm, voter.HeldLength))
        {
            (term, length) = (voter.HeldTerm, voter.HeldLength);
        }

        return IsAtLeast(candidate.LastTerm, candidate.Length, term, length);
    }

    private static bool IsAtLeast(int term, int length, int otherTerm, int otherLength) =>
        term > otherTerm || (term == otherTerm && length >= otherLength);

    private bool HasWon(in ModelReplica candidate)
    {
        int majority = (bounds.Replicas / 2) + 1;
        int granted = BitOperations.PopCount((uint)candidate.Granted);
        int abstained = BitOperations.PopCount((uint)(candidate.Abstained & ~candidate.Granted));
        if (granted >= majority || abstained == 0)
        {
            return granted >= majority;
        }

        return granted + abstained >= (Heeds(DamageRules.AbstentionsNeedAllOthers) ? bounds.Replicas : majority)
            && (abstained < majority || !Heeds(DamageRules.AbstentionsStayBelowMajority));
    }

    private void Lead(int i)
    {
        ref ModelReplica leader = ref _replicas[i];
        int before = _ghost.LeaderOf(leader.Term);
        _fault = before != 0 && before != i + 1 ? $"two leaders in term {leader.Term}"
            : !_ghost.IsPrefixOf(leader) ? $"{i} leads term {leader.Term} without all that was committed"
            : null;
        _ghost.SetLeader(leader.Term, i + 1);
        leader.Follow();
        leader.Role = ModelRole.Leader;
        leader.Append(leader.Term);
        leader.TermStart = leader.Length;
        (leader.IsTold, leader.Through, leader.Matched) = (false, 0, 0);
    }

    private void Propose(int i)
    {
        ref ModelReplica leader = ref _replicas[i];
        if (leader.Role == ModelRole.Leader && leader.Length < bounds.LengthMax)
        {
            leader.Append(leader.Term);
            Reached($"{i} appends");
        }
    }

    private void Send(int i, int j, int through, bool answered)
    {
        ref ModelReplica leader = ref _replicas[i];
        ref ModelReplica follower = ref _replicas[j];
        if (leader.Role != ModelRole.Leader || !MayFollow(j, leader.Term) || LearnsTerm(i, j, answered))
        {
            return;
        }

        if (follower.Term < leader.Term)
        {
            follower.EnterTerm(leader.Term);
        }

        follower.Follow();
        int same = 0;
        while (same < Math.Min(through, follower.Length) && follower.TermAt(same + 1) == leader.TermAt(same + 1))
        {
            same++;
        }

        if (same < through)
        {
            _fault = same < follower.Commit ? $"{j} cuts what it knows to be committed" : null;
            follower.CutBehind(same);
            for (int index = same + 1; index <= through; index++)
            {
                follower.Append(leader.TermAt(index));
            }
        }

        follower.Matched = Math.Max(follower.Matched, through);
        follower.Commit = Math.Max(follower.Commit, Math.Min(leader.Commit, through));
        if (answered && through > leader.MatchOf(j))
        {
            leader.SetMatch(j, through);
        }

        Reached($"{i} sends {j} its log up to {through}{(answered ? "" : ", the answer is lost")}");
    }

    private bool MayFollow(int j, int term)
    {
        ref ModelReplica follower = ref _replicas[j];
        if (follower.Damage != ModelDamage.TermLost || !Heeds(DamageRules.LostTermFollowsFromFloor))
        {
            return true;
        }

        bool allHeard = (follower.TermsHeard | (1 << j)) == (1 << bounds.Replicas) - 1;
        return term >= follower.Floor && (allHeard || !Heeds(DamageRules.FloorNeedsAllOthers));
    }

    private void Commit(int i)
    {
        ref ModelReplica leader = ref _replicas[i];
        if (leader.Role != ModelRole.Leader)
        {
            return;
        }

        int reached = leader.Commit;
        for (int index = leader.Commit + 1; index <= leader.Length; index++)
        {
            int holders = 1;
            for (int j = 0; j < bounds.Replicas; j++)
            {
                holders += j != i && leader.MatchOf(j) >= index ? 1 : 0;
            }

            reached = 2 * holders > bounds.Replicas && leader.TermAt(index) == leader.Term ? index : reached;
        }

        if (reached > leader.Commit)
        {
            leader.Commit = reached;
            _fault = _ghost.TryCommit(leader) ? null : $"{i} commits another history";
            Reached($"{i} commits up to {reached}");
        }
    }

    private void Restart(int i)
    {
        if (_ghost.Restarts == 0)
        {
            return;
        }

        _ghost.Restarts--;
        ref ModelReplica self = ref _replicas[i];
        (int term, int vote) = (self.Term, self.Vote);
        self.Commit = 0;
        self.EnterTerm(term);
        self.Vote = vote;
        (self.TermsHeard, self.Floor) = (0, 0);
        Reached($"{i} restarts");
    }

    private void Lose(int i, int kept, ModelDamage damage)
    {
        ref ModelReplica self = ref _replicas[i];
        if (_ghost.Damages == 0 || self.Damage != ModelDamage.None || (kept == self.Length && damage != ModelDamage.TermLost))
        {
            return;
        }

        _ghost.Damages--;
        (int term, int vote) = (self.Term, self.Vote);
        (self.HeldTerm, self.HeldLength) = damage == ModelDamage.HeldKnown ? (self.LastTerm, self.Length) : (0, 0);
        self.Damage = damage;
        self.CutBehind(kept);
        self.Commit = 0;
        self.EnterTerm(damage == ModelDamage.TermLost ? self.LastTerm : term);
        self.Vote = damage == ModelDamage.TermLost ? 0 : vote;
        Reached($"{i} restarts and has lost what was behind {kept} ({damage})");
    }

    private void TellTerm(int i, int j)
    {
        ref ModelReplica asker = ref _replicas[j];
        if (asker.Damage == ModelDamage.TermLost && _replicas[i].Damage != ModelDamage.TermLost && (asker.TermsHeard & (1 << i)) == 0)
        {
            asker.TermsHeard |= 1 << i;
            asker.Floor = Math.Max(asker.Floor, _replicas[i].Term);
            Reached($"{i} tells {j} its term");
        }
    }

    private void TellEnd(int i, int j)
    {
        ref ModelReplica asker = ref _replicas[j];
        if (_replicas[i].Role == ModelRole.Leader && asker.Term == _replicas[i].Term && !asker.IsTold
            && asker.Damage is ModelDamage.HeldUnknown or ModelDamage.TermLost)
        {
            (asker.IsTold, asker.Through) = (true, _replicas[i].Length);
            Reached($"{i} tells {j} that its log reaches to {asker.Through}");
        }
    }

    private void Heal(int i)
    {
        ref ModelReplica self = ref _replicas[i];
        bool isWhole = self.Damage switch
        {
            ModelDamage.None => false,
            ModelDamage.HeldKnown => IsAtLeast(self.LastTerm, self.Length, self.HeldTerm, self.HeldLength) || !Heeds(DamageRules.KnownIsHealedAtHeld),
            _ => self.Role == ModelRole.Follower
                && ((self.IsTold && Math.Min(self.Matched, self.Commit) >= self.Through)
                    || (self.Matched > 0 && !Heeds(DamageRules.UnknownIsHealedThroughLeadersEnd))),
        };
        if (isWhole)
        {
            self.EndDamage();
            Reached($"{i} is healed");
        }
    }

    /// <summary>The one asked is in a later term: nothing else comes of it.</summary>
    private bool LearnsTerm(int i, int j, bool answered)
    {
        if (_replicas[j].Term <= _replicas[i].Term)
        {
            return false;
        }

        if (answered)
        {
            _replicas[i].EnterTerm(_replicas[j].Term);
            Reached($"{i} hears of the term of {j}");
        }

        return true;
    }

    private void Try(Action step)
    {
        Load();
        step();
    }

    private void Load()
    {
        State state = _order[_from];
        _replicas[0] = ModelReplica.Unpack(state.A);
        _replicas[1] = ModelReplica.Unpack(state.B);
        _replicas[2] = ModelReplica.Unpack(state.C);
        _replicas[3] = ModelReplica.Unpack(state.D);
        _ghost = Ghost.Unpack(state.Ghost);
        _fault = null;
    }

    private void Reached(string step)
    {
        State state = new(_replicas[0].Pack(), _replicas[1].Pack(), _replicas[2].Pack(), _replicas[3].Pack(), _ghost.Pack());
        if (_violation is null && _seen.Add(state))
        {
            _order.Add(state);
            _reached.Add((_from, step));
            _violation = _fault;
        }
    }

    private List<string> StepsToLast()
    {
        List<string> steps = [];
        for (int at = _order.Count - 1; at >= 0; at = _reached[at].Parent)
        {
            State state = _order[at];
            IEnumerable<ModelReplica> replicas = new[] { state.A, state.B, state.C, state.D }.Take(bounds.Replicas).Select(ModelReplica.Unpack);
            steps.Add($"{_reached[at].Step}: {string.Join(" | ", replicas)}");
        }

        steps.Reverse();
        return steps;
    }

    private readonly record struct State(ulong A, ulong B, ulong C, ulong D, uint Ghost);

    /// <summary>What no replica knows: all that was ever committed, and who led. And what may still go wrong.</summary>
    private struct Ghost
    {
        private int _log;
        private int _length;
        private int _leaders;

        public int Damages;
        public int Restarts;

        public readonly int LeaderOf(int term) => (_leaders >> (3 * (term - 1))) & 7;

        public void SetLeader(int term, int leader) => _leaders = (_leaders & ~(7 << (3 * (term - 1)))) | (leader << (3 * (term - 1)));

        public readonly bool IsPrefixOf(in ModelReplica replica) =>
            replica.Length >= _length && (replica.Log & ((1 << (2 * _length)) - 1)) == _log;

        /// <summary>False when the leader's committed entries and those known are not one history.</summary>
        public bool TryCommit(in ModelReplica leader)
        {
            int common = (1 << (2 * Math.Min(leader.Commit, _length))) - 1;
            if ((leader.Log & common) != (_log & common))
            {
                return false;
            }

            if (leader.Commit > _length)
            {
                (_length, _log) = (leader.Commit, leader.Log & ((1 << (2 * leader.Commit)) - 1));
            }

            return true;
        }

        public readonly uint Pack() =>
            (uint)_log | ((uint)_length << 6) | ((uint)_leaders << 8) | ((uint)Damages << 17) | ((uint)Restarts << 19);

        public static Ghost Unpack(uint packed) => new()
        {
            _log = (int)(packed & 63),
            _length = (int)((packed >> 6) & 3),
            _leaders = (int)((packed >> 8) & 511),
            Damages = (int)((packed >> 17) & 3),
            Restarts = (int)((packed >> 19) & 3),
        };
    }
}
