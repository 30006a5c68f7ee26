using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class MembershipCheckerTests
{
    private static readonly ReplicaId A = new(N0, new StoreId(1));
    private static readonly ReplicaId B = new(N1, new StoreId(2));
    private static readonly ReplicaId C = new(N2, new StoreId(3));
    private static readonly Membership WithLearner = new([A, B], [], [C]);
    private static readonly Membership Joint = new([A, B, C], [A, B], []);
    private static readonly GroupId Second = Group.WithLife(4);
    private static readonly GroupId Unknown = new(new UInt128(7, 7));

    [Fact]
    public void Accepts_that_a_replica_goes_of_a_topic_that_anybody_may_delete() => Assert.Null(
        New().Tell(new HistoryEvent.TopicShared("t")).Tell(Has(B, Group, 5)).Tell(View(5, 5, Membership.Of(A, B)))
            .Tell(new HistoryEvent.ReplicaGivenUp(N1, Group, "t-0-7")).Objection);

    [Theory]
    [InlineData("t-3-7", false)]
    [InlineData("t-3~2.5.4-7", false)]
    [InlineData("t-2-7", true)]
    [InlineData("u-3-7", true)]
    public void Accepts_that_what_nobody_had_found_goes_with_its_topic(string folder, bool objects) => Assert.Equal(
        objects,
        New().Tell(new HistoryEvent.UnfoundDeleted("t", 3, 5)).Tell(Has(B, Unknown, 5)).Tell(View(5, 5, Membership.Of(A, B), group: Unknown))
            .Tell(new HistoryEvent.ReplicaGivenUp(N1, Unknown, folder)).Objection is not null);

    [Fact]
    public void Rejects_it_of_a_partition_of_that_name_that_clients_know() => Objects(
        New().Tell(new HistoryEvent.UnfoundDeleted("t", 3, 5)).Tell(new HistoryEvent.PartitionCreated(Unknown, "t/3", [N0, N1], MinInSync: 1))
            .Tell(Has(B, Unknown, 5)).Tell(View(5, 5, Membership.Of(A, B), group: Unknown)).Tell(new HistoryEvent.ReplicaGivenUp(N1, Unknown, "t-3-7")));

    [Fact]
    public void Rejects_that_a_number_passes_to_a_folder_while_the_former_one_is_not_removed() => Objects(
        New().Tell(new HistoryEvent.FolderKnown(N1, A, [])).Tell(new HistoryEvent.FolderKnown(N2, A with { Store = new StoreId(9) }, [])));

    [Fact]
    public void Accepts_it_once_that_one_is_removed_and_some_still_know_the_former_one() => Assert.Null(
        New().Tell(new HistoryEvent.FolderKnown(N1, A, [])).Tell(new HistoryEvent.FolderKnown(N2, A with { Store = new StoreId(9) }, [A]))
            .Tell(new HistoryEvent.FolderKnown(N0, A, [])).Objection);

    [Fact]
    public void Accepts_a_learner_that_has_the_entry_that_made_it_one_and_votes() =>
        Assert.Null(New().Tell(View(5, 5, WithLearner)).Tell(Has(C, Group, 5)).Tell(View(7, 6, Joint)).Objection);

    [Fact]
    public void Rejects_a_voter_that_was_no_learner() => Objects(New().Tell(Has(C, Group, 5)).Tell(View(7, 6, Joint)));

    /// <summary>It was a learner then, and is known not to be a member any more.</summary>
    [Fact]
    public void Accepts_what_a_leader_that_stood_still_began_long_ago() => Assert.Null(
        New().Tell(View(9, 8, Membership.Of(A, B))).Tell(Has(C, Group, 5)).Tell(View(5, 6, Joint)).Objection);

    [Fact]
    public void Rejects_a_voter_that_has_not_the_entry_that_made_it_a_learner() =>
        Objects(New().Tell(View(5, 5, WithLearner)).Tell(Has(C, Group, 4)).Tell(View(7, 6, Joint)));

    [Fact]
    public void Rejects_a_voter_whose_learning_was_before_it_left() => Objects(
        New().Tell(View(5, 5, WithLearner)).Tell(Has(C, Group, 5)).Tell(View(6, 6, Membership.Of(A, B))).Tell(View(9, 8, Joint)));

    [Fact]
    public void Rejects_that_a_voter_gives_up_its_replica() =>
        Objects(New().Tell(Has(B, Group, 5)).Tell(View(5, 5, Membership.Of(A, B))).Tell(new HistoryEvent.ReplicaGivenUp(N1, Group)));

    [Fact]
    public void Accepts_it_of_one_that_votes_no_more() => Assert.Null(
        New().Tell(Has(B, Group, 5)).Tell(View(5, 5, Membership.Of(A, B))).Tell(View(6, 6, Membership.Of(A)))
            .Tell(new HistoryEvent.ReplicaGivenUp(N1, Group)).Objection);

    /// <summary>The next change begins as soon as the last one is committed, so that no leader was seen to have nothing newer.</summary>
    [Fact]
    public void Accepts_it_of_one_that_votes_no_more_when_the_next_change_is_under_way() => Assert.Null(
        New().Tell(Has(B, Group, 5)).Tell(View(5, 5, Membership.Of(A, B)))
            .Tell(View(6, 7, new Membership([A], [], [B]), committed: Membership.Of(A))).Tell(new HistoryEvent.ReplicaGivenUp(N1, Group)).Objection);

    [Fact]
    public void Rejects_it_while_the_entry_that_ends_its_vote_is_not_committed() => Objects(
        New().Tell(Has(B, Group, 5)).Tell(View(6, 7, Membership.Of(A), committed: Membership.Of(A, B))).Tell(new HistoryEvent.ReplicaGivenUp(N1, Group)));

    [Fact]
    public void Accepts_it_of_a_former_life() => Assert.Null(
        New().Tell(Has(B, Group, 5)).Tell(Has(B, Second, 5)).Tell(View(5, 5, Membership.Of(A, B))).Tell(new HistoryEvent.ReplicaGivenUp(N1, Group)).Objection);

    [Fact]
    public void Accepts_it_where_the_topic_is_deleted() => Assert.Null(
        New().Tell(Has(B, Group, 5)).Tell(View(5, 5, Membership.Of(A, B))).Tell(new HistoryEvent.PartitionDeleted(Group))
            .Tell(new HistoryEvent.ReplicaGivenUp(N1, Group)).Objection);

    [Fact]
    public void Rejects_a_replica_that_came_by_a_movement_and_is_made_with_a_membership() =>
        Objects(New().Tell(new HistoryEvent.ReplicaMade(N1, Second, new LogIndex(5), BeginsWith: 3)));

    [Theory]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void Who_came_by_a_movement_counts_itself_a_voter_only_by_a_membership_that_speaks_of_it(long membershipAt, bool mayVote)
    {
        Story story = New().Tell(new HistoryEvent.ReplicaMade(N1, Second, new LogIndex(5)))
            .Tell(new HistoryEvent.VoterSeen(N1, Second, Role.Follower, new LogIndex(membershipAt)));
        Assert.Equal(mayVote, story.Objection is null);
    }

    [Theory]
    [InlineData(4, false)]
    [InlineData(6, true)]
    public void Who_came_by_a_movement_votes_only_with_a_membership_that_speaks_of_it(long membershipAt, bool mayVote)
    {
        Story story = New().Tell(new HistoryEvent.ReplicaMade(N1, Second, new LogIndex(5))).Tell(Has(B, Second, 7, membershipAt))
            .Tell(new HistoryEvent.Said(B, N0, Group, new VoteReply(new Term(3), Granted: true)));
        Assert.Equal(mayVote, story.Objection is null);
    }

    /// <summary>The leader's term is 1 (View).</summary>
    [Theory]
    [InlineData(4, 1, true, true)]
    [InlineData(4, 1, false, true)]
    [InlineData(5, 1, true, false)]
    [InlineData(4, 2, true, false)]
    public void Rejects_that_who_came_by_a_movement_answers_a_leader_who_knows_only_its_predecessor(
        long membershipAt, int term, bool isAppend, bool objects)
    {
        RaftMessage answer = isAppend ? new AppendAccepted(new Term(term), new LogIndex(7)) : new HeartbeatReply(new Term(term), ReadRound: 0, new LogIndex(7));
        Story story = New().Tell(new HistoryEvent.ReplicaMade(N1, Second, new LogIndex(5))).Tell(Has(B, Second, 7))
            .Tell(View(4, membershipAt, Membership.Of(A, B))).Tell(new HistoryEvent.Said(B, N0, Group, answer));
        Assert.Equal(objects, story.Objection is not null);
    }

    [Fact]
    public void Accepts_that_it_answers_one_who_knows_that_its_predecessor_went() => Assert.Null(
        New().Tell(new HistoryEvent.ReplicaMade(N1, Second, new LogIndex(5))).Tell(Has(B, Second, 7))
            .Tell(View(4, 4, Membership.Of(A, C))).Tell(new HistoryEvent.Said(B, N0, Group, new AppendAccepted(new Term(1), new LogIndex(7)))).Objection);

    /// <summary>Entries up to an index, of which one brought a membership.</summary>
    private static HistoryEvent.EntriesDurable Has(ReplicaId by, GroupId key, long last, long membershipAt = 1) =>
        new(by, key, new LogIndex(1), [.. Enumerable.Repeat(new Term(1), (int)last)], new LogIndex(membershipAt));

    /// <param name="committed">Null when it is the newest.</param>
    private static HistoryEvent.LeaderCommitted View(long commit, long at, Membership membership, Membership? committed = null, GroupId? group = null) =>
        new(A, group ?? Group, new Term(1), new LogIndex(commit), new Term(1), committed ?? membership, membership, new LogIndex(at));

    private static Story New() => new(new MembershipChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
