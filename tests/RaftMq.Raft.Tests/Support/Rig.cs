namespace RaftMq.Raft.Tests.Support;

/// <summary>One replica, n1, under test; all others are played by the test, message by message.</summary>
internal sealed class Rig
{
    private static readonly RaftConfig Defaults = new() { Group = new GroupId(1), Self = default, Boot = default };

    public Rig(int voters = 3, RaftConfig? config = null, Membership? membership = null, MemoryDiskSetup? setup = null)
    {
        Host = new Host(N(1), membership ?? Membership.Of(Enumerable.Range(1, voters).Select(N)), config ?? Defaults, new RandomSource(1))
        {
            OnSend = (_, m) => Sent.Add(m),
            OnReady = (_, r) => Observe(r),
            OnRead = (_, r) => Confirmed.Add(r),
        };
        setup?.Invoke(Host.Disk);
        Host.Start();
    }

    public delegate void MemoryDiskSetup(MemoryDisk disk);

    public static RaftConfig Config => Defaults;

    public Host Host { get; }

    public RaftGroup Group => Host.Group;

    public List<Outgoing> Sent { get; } = [];

    public List<ReadConfirmed> Confirmed { get; } = [];

    public List<long> Refused { get; } = [];

    public static ReplicaId N(int n) => new(new NodeId(n), new StoreId((UInt128)n));

    public static Term T(int term) => new(term);

    public static LogIndex I(long index) => new(index);

    public static Entry E(long index, int term, string text = "x") => MemoryTail.Make(I(index), T(term), text);

    public static AppendEntries Append(int term, long previous, int previousTerm, long commit, params Entry[] entries) =>
        new(T(term), I(previous), T(previousTerm), I(commit), entries);

    /// <summary>n<paramref name="from"/> says something; boot 1 unless told otherwise.</summary>
    public Rig Hear(int from, RaftMessage message, int boot = 1)
    {
        Host.Do(g => g.Step(N(from), new BootNumber(boot), message));
        return this;
    }

    public Rig Ticks(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Host.Do(g => g.Tick());
        }

        return this;
    }

    public Rig Persist()
    {
        while (Host.WritesInFlight > 0)
        {
            Host.CompleteWrite();
        }

        return this;
    }

    /// <summary>n1 becomes leader of the next term with the votes of n2 and n3, its no-op not yet durable.</summary>
    public Rig Lead()
    {
        Host.Do(g => g.Campaign());
        Term term = Group.Term.Next;
        Hear(2, new PreVoteReply(term, Granted: true)).Hear(3, new PreVoteReply(term, Granted: true)).Persist();
        Hear(2, new VoteReply(term, Granted: true)).Hear(3, new VoteReply(term, Granted: true));
        Assert.Equal(Role.Leader, Group.Role);
        return this;
    }

    /// <summary>As <see cref="Lead"/>, and the no-op is committed.</summary>
    public Rig LeadCommitted()
    {
        Lead().Persist();
        Hear(2, new AppendAccepted(Group.Term, Group.LastIndex)).Hear(3, new AppendAccepted(Group.Term, Group.LastIndex));
        Assert.Equal(Group.LastIndex, Group.CommitIndex);
        Sent.Clear();
        return this;
    }

    /// <summary>What was sent to n<paramref name="to"/> of one kind since the last call.</summary>
    public List<T> Take<T>(int to)
        where T : RaftMessage
    {
        List<T> taken = [.. Sent.Where(m => m.To == N(to)).Select(m => m.Message).OfType<T>()];
        Sent.RemoveAll(m => m.To == N(to) && m.Message is T);
        return taken;
    }

    private void Observe(Ready ready) => Refused.AddRange(ready.ReadsRefused.Select(r => r.ReadId));
}
