namespace RaftMq.Raft.Tests.Models;

internal enum ModelRole
{
    Follower,
    Candidate,
    Leader,
}

internal enum ModelDamage
{
    None,

    /// <summary>What the log held is known.</summary>
    HeldKnown,
    HeldUnknown,

    /// <summary>What the log held is unknown, and term and vote are lost.</summary>
    TermLost,
}

/// <summary>A replica of the model: up to four replicas, terms up to three, logs of up to three entries. Packs into 64 bits.</summary>
internal struct ModelReplica
{
    public int Term;

    /// <summary>Of the replica with that number less one; zero: none.</summary>
    public int Vote;
    public ModelRole Role;

    /// <summary>A candidate's answers, one bit per replica.</summary>
    public int Granted;
    public int Abstained;

    /// <summary>The terms of its entries, two bits each; all of it durable.</summary>
    public int Log;
    public int Length;
    public int Commit;

    /// <summary>A leader's view of the others' logs, two bits each.</summary>
    public int Match;

    /// <summary>Of a leader: its first entry.</summary>
    public int TermStart;
    public ModelDamage Damage;
    public int HeldTerm;
    public int HeldLength;

    /// <summary>Whose terms it was told since it lost its own, and the largest of these.</summary>
    public int TermsHeard;
    public int Floor;

    /// <summary>The leader of its term has told how far its log reaches.</summary>
    public bool IsTold;
    public int Through;

    /// <summary>The log equals that of the leader of its term so far.</summary>
    public int Matched;

    public readonly int LastTerm => TermAt(Length);

    public readonly int TermAt(int index) => index == 0 ? 0 : (Log >> (2 * (index - 1))) & 3;

    public readonly int MatchOf(int replica) => (Match >> (2 * replica)) & 3;

    public void SetMatch(int replica, int index) => Match = (Match & ~(3 << (2 * replica))) | (index << (2 * replica));

    public void Append(int term)
    {
        Log |= term << (2 * Length);
        Length++;
    }

    public void CutBehind(int index)
    {
        Length = index;
        Log &= (1 << (2 * index)) - 1;
    }

    public void EnterTerm(int term)
    {
        (Term, Vote, Role) = (term, 0, ModelRole.Follower);
        (Granted, Abstained, Match, TermStart) = (0, 0, 0, 0);
        (IsTold, Through, Matched) = (false, 0, Commit);
    }

    public void Follow()
    {
        Role = ModelRole.Follower;
        (Granted, Abstained, Match, TermStart) = (0, 0, 0, 0);
    }

    public void EndDamage()
    {
        Damage = ModelDamage.None;
        (HeldTerm, HeldLength, TermsHeard, Floor, IsTold, Through) = (0, 0, 0, 0, false, 0);
    }

    public readonly ulong Pack()
    {
        var bits = new Bits();
        bits.Add(Term, 2);
        bits.Add(Vote, 3);
        bits.Add((int)Role, 2);
        bits.Add(Granted, 4);
        bits.Add(Abstained, 4);
        bits.Add(Log, 6);
        bits.Add(Length, 2);
        bits.Add(Commit, 2);
        bits.Add(Match, 8);
        bits.Add(TermStart, 2);
        bits.Add((int)Damage, 2);
        bits.Add(HeldTerm, 2);
        bits.Add(HeldLength, 2);
        bits.Add(TermsHeard, 4);
        bits.Add(Floor, 2);
        bits.Add(IsTold ? 1 : 0, 1);
        bits.Add(Through, 2);
        bits.Add(Matched, 2);
        return bits.Packed;
    }

    public static ModelReplica Unpack(ulong packed)
    {
        var bits = new Bits(packed);
        return new ModelReplica
        {
            Term = bits.Take(2),
            Vote = bits.Take(3),
            Role = (ModelRole)bits.Take(2),
            Granted = bits.Take(4),
            Abstained = bits.Take(4),
            Log = bits.Take(6),
            Length = bits.Take(2),
            Commit = bits.Take(2),
            Match = bits.Take(8),
            TermStart = bits.Take(2),
            Damage = (ModelDamage)bits.Take(2),
            HeldTerm = bits.Take(2),
            HeldLength = bits.Take(2),
            TermsHeard = bits.Take(4),
            Floor = bits.Take(2),
            IsTold = bits.Take(1) == 1,
            Through = bits.Take(2),
            Matched = bits.Take(2),
        };
    }

    public override readonly string ToString() =>
        $"t{Term} {Role} [{string.Join(' ', Enumerable.Range(1, Length).Select(TermAt))}] commit {Commit}"
        + (Damage == ModelDamage.None ? "" : $" {Damage}({HeldTerm},{HeldLength})");

    /// <summary>Small numbers one behind the other.</summary>
    private struct Bits(ulong packed = 0)
    {
        private int _at;

        public ulong Packed { get; private set; } = packed;

        public void Add(int value, int width)
        {
            Packed |= (ulong)value << _at;
            _at += width;
        }

        public int Take(int width)
        {
            int value = (int)((Packed >> _at) & ((1UL << width) - 1));
            _at += width;
            return value;
        }
    }
}
