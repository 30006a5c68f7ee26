using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class CommitRuleCheckerTests
{
    private static readonly ReplicaId A = new(N0, new StoreId(1));
    private static readonly ReplicaId B = new(N1, new StoreId(2));
    private static readonly ReplicaId C = new(N2, new StoreId(3));
    private static readonly ReplicaId D = new(new NodeId(3), new StoreId(4));
    private static readonly ReplicaId E = new(new NodeId(4), new StoreId(5));
    private static readonly Membership Three = Membership.Of(A, B, C);

    [Fact]
    public void Accepts_an_entry_of_the_own_term_on_a_majority() =>
        Assert.Null(New(2, A, B).Tell(Commits(0, 0)).Tell(Commits(2, 2)).Objection);

    [Fact]
    public void Rejects_an_entry_of_an_older_term_though_a_majority_has_it() =>
        Objects(New(1, A, B, C).Tell(Commits(0, 0)).Tell(Commits(2, 1)));

    [Fact]
    public void Accepts_an_older_entry_that_was_known_to_be_committed_before() =>
        Assert.Null(New(1, A, B, C).Tell(Commits(2, 1)).Tell(Commits(2, 1)).Objection);

    [Fact]
    public void Rejects_an_entry_that_only_the_leader_has() => Objects(New(2, A).Tell(Commits(0, 0)).Tell(Commits(2, 2)));

    [Fact]
    public void Rejects_an_entry_that_others_have_of_another_term() =>
        Objects(New(2, A).Tell(Holds(B, 1)).Tell(Commits(0, 0)).Tell(Commits(2, 2)));

    [Fact]
    public void Rejects_an_entry_that_learners_have() => Objects(
        New(2, A, D).Tell(Commits(0, 0)).Tell(Commits(2, 2, new Membership([A, B, C], [], [D]))));

    [Fact]
    public void Rejects_an_entry_of_the_new_half_of_a_joint_membership() => Objects(
        New(2, A, D, E).Tell(Commits(0, 0)).Tell(Commits(2, 2, new Membership([A, D, E], [A, B, C], []), since: 1)));

    [Fact]
    public void Rejects_an_entry_of_the_old_half_behind_the_joint_membership() => Objects(
        New(2, A, B).Tell(Commits(0, 0)).Tell(Commits(2, 2, new Membership([A, D, E], [A, B, C], []), since: 1)));

    [Fact]
    public void Accepts_an_entry_of_the_old_half_before_the_joint_membership() => Assert.Null(
        New(2, A, B).Tell(Commits(0, 0)).Tell(Commits(2, 2, new Membership([A, D, E], [A, B, C], []), since: 3)).Objection);

    [Fact]
    public void Accepts_an_entry_that_a_voter_held_and_lost() =>
        Assert.Null(New(2, A, B).Tell(Commits(0, 0)).Tell(Loss(B)).Tell(Commits(2, 2)).Objection);

    [Fact]
    public void Rejects_an_entry_that_a_voter_lost_and_has_not_though_it_is_whole_again() => Objects(
        New(2, A, B).Tell(Commits(0, 0)).Tell(Loss(B)).Tell(new HistoryEvent.HealedDurable(B, Group)).Tell(Commits(2, 2)));

    private static HistoryEvent.LossDurable Loss(ReplicaId by) => new(by, Group, new LogIndex(2), IsRecorded: true);

    private static Story New(int term, params ReplicaId[] holders)
    {
        Story story = new(new CommitRuleChecker());
        foreach (ReplicaId holder in holders)
        {
            story.Tell(Holds(holder, term));
        }

        return story;
    }

    /// <summary>Entries 1 and 2.</summary>
    private static HistoryEvent.EntriesDurable Holds(ReplicaId by, int term) =>
        new(by, Group, new LogIndex(1), [new Term(1), new Term(term)]);

    /// <summary>By A, the leader of term 2.</summary>
    private static HistoryEvent.LeaderCommitted Commits(long index, int term, Membership? membership = null, long since = 0) =>
        new(A, Group, new Term(2), new LogIndex(index), index == 0 ? null : new Term(term), membership ?? Three, membership ?? Three, new LogIndex(since));

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
