using RaftMq.Raft;

namespace RaftMq.Testing.Raft;

/// <summary>One replica of a group of three without journal and network, for what consensus itself costs.</summary>
public sealed class BareGroup
{
    private static readonly BootNumber s_boot = new(1);

    private readonly RingTail _tail = new();
    private readonly Entry[] _appended = new Entry[1];

    public BareGroup(int self) => Group = new RaftGroup(
        new RaftConfig { Group = new GroupId(1), Self = Replica(self), Boot = s_boot },
        RaftStart.Empty(Membership.Of(Replica(1), Replica(2), Replica(3))), _tail, new RandomSource(1));

    public RaftGroup Group { get; }

    /// <summary>Replica 1, elected by replica 2.</summary>
    public static BareGroup Leader()
    {
        BareGroup leader = new(self: 1);
        leader.Group.Campaign();
        leader.Group.Step(Replica(2), s_boot, new PreVoteReply(new Term(1), Granted: true));
        leader.Drain();
        leader.Group.Step(Replica(2), s_boot, new VoteReply(new Term(1), Granted: true));
        leader.Drain();
        return leader;
    }

    /// <summary>On a leader, one batch: a proposal, its durable notice, two acknowledgements, and the readies between.</summary>
    public void Lead()
    {
        var admitted = (ProposeResult.Admitted)Group.Admit(1000);
        Group.Propose(_tail.Append(new Entry(admitted.Index, admitted.Term, EntryKind.FirstOfStateMachine, default)));
        PersistToken token = Group.TakeReady().Persist!.Value;
        Group.Step(Replica(2), s_boot, new AppendAccepted(admitted.Term, admitted.Index));
        Group.Persisted(token);
        Group.TakeReady();
        Group.Step(Replica(3), s_boot, new AppendAccepted(admitted.Term, admitted.Index));
        Group.TakeReady();
    }

    /// <summary>On a follower, one batch: an append of replica 1 and its durable notice.</summary>
    public void Follow()
    {
        LogIndex last = _tail.LastIndex;
        _appended[0] = new Entry(last.Next, new Term(1), EntryKind.FirstOfStateMachine, default);
        Group.Step(
            Replica(1), s_boot, new AppendEntries(new Term(1), last, last == LogIndex.Zero ? Term.Zero : new Term(1), last, _appended));
        Drain();
    }

    private static ReplicaId Replica(int number) => new(new NodeId(number), new StoreId((UInt128)number));

    private void Drain()
    {
        while (Group.HasReady)
        {
            if (Group.TakeReady().Persist is { } token)
            {
                Group.Persisted(token);
            }
        }
    }
}
