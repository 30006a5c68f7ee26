using BenchmarkDotNet.Attributes;
using RaftMq.Raft;

namespace RaftMq.Benchmarks.Raft;

/// <summary>
/// Consensus' own CPU for one batch of a group of three, without journal and network: on the leader a proposal, its durable notice and
/// two acknowledgements; on a follower an append and its durable notice.
/// </summary>
[MemoryDiagnoser]
public class RaftStepBenchmark
{
    private static readonly BootNumber Boot = new(1);
    private readonly Entry[] _appended = new Entry[1];
    private RingTail _leaderTail = null!;
    private RaftGroup _leader = null!;
    private RaftGroup _follower = null!;
    private LogIndex _last = LogIndex.Zero;

    [GlobalSetup]
    public void Setup()
    {
        _leaderTail = new RingTail();
        _leader = GroupOf(1, _leaderTail);
        _leader.Campaign();
        _leader.Step(Replica(2), Boot, new PreVoteReply(new Term(1), Granted: true));
        Drain(_leader);
        _leader.Step(Replica(2), Boot, new VoteReply(new Term(1), Granted: true));
        Drain(_leader);
        _follower = GroupOf(2, new RingTail());
    }

    [Benchmark]
    public LogIndex Leader()
    {
        var admitted = (ProposeResult.Admitted)_leader.Admit(1000);
        _leader.Propose(_leaderTail.Append(new Entry(admitted.Index, admitted.Term, EntryKind.FirstOfStateMachine, default)));
        PersistToken token = _leader.TakeReady().Persist!.Value;
        _leader.Step(Replica(2), Boot, new AppendAccepted(admitted.Term, admitted.Index));
        _leader.Persisted(token);
        _leader.TakeReady();
        _leader.Step(Replica(3), Boot, new AppendAccepted(admitted.Term, admitted.Index));
        _leader.TakeReady();
        return _leader.CommitIndex;
    }

    [Benchmark]
    public LogIndex Follower()
    {
        _appended[0] = new Entry(_last.Next, new Term(1), EntryKind.FirstOfStateMachine, default);
        _follower.Step(
            Replica(1), Boot,
            new AppendEntries(new Term(1), _last, _last == LogIndex.Zero ? Term.Zero : new Term(1), _last, _appended));
        _last = _last.Next;
        Drain(_follower);
        return _follower.CommitIndex;
    }

    private static RaftGroup GroupOf(int self, ILogTail tail) => new(
        new RaftConfig { Group = new GroupId(1), Self = Replica(self), Boot = Boot },
        RaftStart.Empty(Membership.Of(Replica(1), Replica(2), Replica(3))), tail, new RandomSource(1));

    private static ReplicaId Replica(int number) => new(new NodeId(number), new StoreId((UInt128)number));

    private static void Drain(RaftGroup group)
    {
        while (group.HasReady)
        {
            if (group.TakeReady().Persist is { } token)
            {
                group.Persisted(token);
            }
        }
    }

    /// <summary>The newest entries, without bytes.</summary>
    private sealed class RingTail : ILogTail
    {
        private readonly Entry[] _ring = new Entry[1024];

        public LogIndex FirstInMemory => LogIndex.Max(new LogIndex(1), LastIndex - (_ring.Length - 1));

        public LogIndex LastIndex { get; private set; }

        public Entry AppendOwn(LogIndex index, Term term, EntryKind kind, Membership? membership) =>
            Append(new Entry(index, term, kind, default, membership));

        public Entry Append(in Entry entry)
        {
            _ring[entry.Index.Value % _ring.Length] = entry;
            LastIndex = entry.Index;
            return entry;
        }

        public void TruncateFrom(LogIndex index) => LastIndex = index.Previous;

        public bool TryRead(LogIndex from, LogIndex to, int maxEntries, long maxBytes, List<Entry> into)
        {
            for (LogIndex i = from; i <= to && into.Count < maxEntries; i = i.Next)
            {
                into.Add(_ring[i.Value % _ring.Length]);
            }

            return true;
        }
    }
}
