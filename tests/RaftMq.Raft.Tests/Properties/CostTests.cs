using System.Diagnostics;
using static RaftMq.Raft.Tests.Support.Rig;

namespace RaftMq.Raft.Tests.Properties;

/// <summary>What one batch costs a leader of three: proposal, two acknowledgements, its own write, the readies between.</summary>
public sealed class CostTests
{
    /// <summary>
    /// Measured 496 bytes: the result of Admit, one shared append message with its list, a token, queue growth; the two messages stepped
    /// are the test's own. The limit is what a careless list or closure per follower would exceed.
    /// </summary>
    private const long BytesPerBatchMax = 800;

    [Fact]
    public void Batch_allocates_little()
    {
        Entry[] ring = new Entry[1024];
        RingTail tail = new(ring);
        RaftConfig config = Config with { Self = N(1), Boot = new BootNumber(1) };
        RaftGroup group = new(config, RaftStart.Empty(Membership.Of(N(1), N(2), N(3))), tail, new RandomSource(1));
        group.Campaign();
        group.Step(N(2), new BootNumber(1), new PreVoteReply(T(1), Granted: true));
        Drain(group);
        group.Step(N(2), new BootNumber(1), new VoteReply(T(1), Granted: true));
        Drain(group);
        Batches(group, tail, 2000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        Batches(group, tail, 20_000);
        double micros = Stopwatch.GetElapsedTime(started).TotalMicroseconds / 20_000;
        long bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 20_000;

        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes} bytes, {micros:F2} µs per batch");
        Assert.Equal(group.LastIndex, group.CommitIndex);
        Assert.InRange(bytes, 0, BytesPerBatchMax);
    }

    private static void Batches(RaftGroup group, RingTail tail, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ProposeResult.Admitted admitted = (ProposeResult.Admitted)group.Admit(1000);
            group.Propose(tail.Append(new Entry(admitted.Index, admitted.Term, EntryKind.FirstOfStateMachine, default)));
            PersistToken token = group.TakeReady().Persist!.Value;
            group.Step(N(2), new BootNumber(1), new AppendAccepted(T(1), admitted.Index));
            group.Persisted(token);
            group.TakeReady();
            group.Step(N(3), new BootNumber(1), new AppendAccepted(T(1), admitted.Index));
            group.TakeReady();
        }
    }

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

    private sealed class RingTail(Entry[] ring) : ILogTail
    {
        public LogIndex FirstInMemory => LogIndex.Max(I(1), LastIndex - ring.Length + 1);

        public LogIndex LastIndex { get; private set; }

        public Entry AppendOwn(LogIndex index, Term term, EntryKind kind, Membership? membership) =>
            Append(new Entry(index, term, kind, default, membership));

        public Entry Append(in Entry entry)
        {
            ring[entry.Index.Value % ring.Length] = entry;
            LastIndex = entry.Index;
            return entry;
        }

        public void TruncateFrom(LogIndex index) => LastIndex = index.Previous;

        public bool TryRead(LogIndex from, LogIndex to, int maxEntries, long maxBytes, List<Entry> into)
        {
            for (LogIndex i = from; i <= to && into.Count < maxEntries; i = i.Next)
            {
                into.Add(ring[i.Value % ring.Length]);
            }

            return true;
        }
    }
}
