using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class ConsensusCheckerTests
{
    [Fact]
    public void One_leader_per_term_accepts_new_leaders_in_new_terms() =>
        Assert.Null(new Story(new OneLeaderPerTermChecker()).Tell(Leads(N0, 1)).Tell(Leads(N0, 1)).Tell(Leads(N1, 2)).Objection);

    [Fact]
    public void One_leader_per_term_rejects_a_second_leader() =>
        Assert.NotNull(new Story(new OneLeaderPerTermChecker()).Tell(Leads(N0, 1)).Tell(Leads(N1, 1)).Objection);

    [Fact]
    public void Log_matching_accepts_one_entry_seen_often() =>
        Assert.Null(new Story(new LogMatchingChecker()).Tell(Entry(2, 1, 1, 0xA)).Tell(Entry(2, 1, 1, 0xA)).Tell(Entry(2, 2, 1, 0xB)).Objection);

    [Fact]
    public void Log_matching_rejects_an_entry_with_two_contents() =>
        Assert.NotNull(new Story(new LogMatchingChecker()).Tell(Entry(2, 1, 1, 0xA)).Tell(Entry(2, 1, 1, 0xB)).Objection);

    [Fact]
    public void Log_matching_rejects_an_entry_with_two_predecessors() =>
        Assert.NotNull(new Story(new LogMatchingChecker()).Tell(Entry(3, 3, 1, 0xA)).Tell(Entry(3, 3, 2, 0xA)).Objection);

    [Fact]
    public void Committed_prefix_accepts_replicas_that_agree() =>
        Assert.Null(new Story(new CommittedPrefixChecker()).Tell(Committed(N0, 1, 1)).Tell(Committed(N1, 1, 1)).Objection);

    [Fact]
    public void Committed_prefix_rejects_another_entry_on_another_replica() =>
        Assert.NotNull(new Story(new CommittedPrefixChecker()).Tell(Committed(N0, 1, 1)).Tell(Committed(N1, 1, 2)).Objection);

    [Fact]
    public void Committed_prefix_rejects_a_change_of_mind_on_one_replica() =>
        Assert.NotNull(new Story(new CommittedPrefixChecker()).Tell(Committed(N0, 1, 1)).Tell(Committed(N0, 1, 2)).Objection);

    private static HistoryEvent.LeaderSeen Leads(NodeId node, int term) => new HistoryEvent.LeaderSeen(Group, new Term(term), node);

    private static HistoryEvent.EntrySeen Entry(long index, int term, int previous, uint checksum) =>
        new HistoryEvent.EntrySeen(Group, new LogIndex(index), new Term(term), new Term(previous), checksum);

    private static HistoryEvent.EntryCommitted Committed(NodeId node, long index, int term) =>
        new HistoryEvent.EntryCommitted(node, Group, new LogIndex(index), new Term(term));
}
