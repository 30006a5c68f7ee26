namespace RaftMq.Raft;

/// <summary>The other members of the group, and the quorum questions a leader asks about them.</summary>
internal sealed class PeerTable
{
    private readonly RaftConfig _config;
    private readonly List<Peer> _peers = [];

    // The two lists of voters, this replica as null.
    private Peer?[] _voters = [];
    private Peer?[] _outgoing = [];

    public PeerTable(RaftConfig config, Membership membership, LogIndex next)
    {
        _config = config;
        Update(membership, next);
    }

    /// <summary>Sorted by id: whoever goes through it sends in the same order in every run.</summary>
    public List<Peer> All => _peers;

    /// <summary>This replica votes in the incoming half (or in the simple membership).</summary>
    public bool SelfVotes { get; private set; }

    public Peer? Find(ReplicaId id)
    {
        for (int i = 0; i < _peers.Count; i++)
        {
            if (_peers[i].Id == id)
            {
                return _peers[i];
            }
        }

        return null;
    }

    /// <summary>Takes over a new membership: who stays keeps its state, who is new is probed from <paramref name="next"/>.</summary>
    public void Update(Membership membership, LogIndex next)
    {
        _peers.RemoveAll(p => !membership.IsMember(p.Id));
        AddMissing(membership.Voters, next);
        AddMissing(membership.OutgoingVoters, next);
        AddMissing(membership.Learners, next);
        _peers.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        for (int i = 0; i < _peers.Count; i++)
        {
            _peers[i].IsVoter = membership.IsVoter(_peers[i].Id);
        }

        _voters = PlantedBug.LearnerCounted ? PeersOf([.. membership.Voters, .. membership.Learners]) : PeersOf(membership.Voters);
        _outgoing = PeersOf(membership.OutgoingVoters);
        SelfVotes = Membership.Has(membership.Voters, _config.Self);
    }

    /// <summary>The largest value that a quorum has reached: a majority of the voters and, while joint, one of the outgoing voters too.</summary>
    public long Reached(Func<Peer, long> value, long own) =>
        PlantedBug.JointQuorumOfNewHalf
            ? ReachedBy(_voters, value, own)
            : Math.Min(ReachedBy(_voters, value, own), ReachedBy(_outgoing, value, own));

    /// <summary>How many of the voters (of the incoming half) have reached <paramref name="threshold"/>.</summary>
    public int VotersAt(Func<Peer, long> value, long own, long threshold)
    {
        int count = 0;
        foreach (Peer? voter in _voters)
        {
            if ((voter is null ? own : value(voter)) >= threshold)
            {
                count++;
            }
        }

        return count;
    }

    private static long ReachedBy(Peer?[] voters, Func<Peer, long> value, long own)
    {
        Span<long> values = stackalloc long[MembershipCodec.MembersMax];
        values = values[..voters.Length];
        for (int i = 0; i < voters.Length; i++)
        {
            values[i] = voters[i] is { } peer ? value(peer) : own;
        }

        return Majority.Reached(values);
    }

    private void AddMissing(IReadOnlyList<ReplicaId> members, LogIndex next)
    {
        for (int i = 0; i < members.Count; i++)
        {
            if (members[i] != _config.Self && Find(members[i]) is null)
            {
                _peers.Add(new Peer(members[i], _config, next));
            }
        }
    }

    private Peer?[] PeersOf(IReadOnlyList<ReplicaId> voters)
    {
        Invariant.Holds(voters.Count <= MembershipCodec.MembersMax);
        Peer?[] peers = new Peer?[voters.Count];
        for (int i = 0; i < voters.Count; i++)
        {
            peers[i] = Find(voters[i]);
        }

        return peers;
    }
}
