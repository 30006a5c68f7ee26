using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class SaidDurableCheckerTests
{
    private static readonly ReplicaId A = new(N0, new StoreId(1));
    private static readonly ReplicaId B = new(N1, new StoreId(2));

    [Fact]
    public void Accepts_an_election_and_an_ack_that_are_durable() => Assert.Null(
        New().Tell(HardState(A, 2, A)).Tell(Says(A, N1, new VoteRequest(T(2), I(0), T(0), false)))
            .Tell(HardState(B, 2, A)).Tell(Says(B, N0, new VoteReply(T(2), true)))
            .Tell(Says(A, N1, Append(2, 0, 0, 2, 2)))
            .Tell(Entries(B, 1, 2, 2)).Tell(Says(B, N0, new AppendAccepted(T(2), I(2)))).Objection);

    [Fact]
    public void Rejects_a_request_for_votes_without_the_own_vote() =>
        Objects(New().Tell(HardState(A, 2, null)).Tell(Says(A, N1, new VoteRequest(T(2), I(0), T(0), false))));

    [Fact]
    public void Rejects_any_word_of_a_term_that_is_not_durable() =>
        Objects(New().Tell(HardState(A, 1, null)).Tell(Says(A, N1, new Heartbeat(T(2), I(0), 0))));

    [Fact]
    public void Rejects_a_word_of_a_replica_without_anything_durable() => Objects(New().Tell(Says(A, N1, new Wake(T(1)))));

    [Fact]
    public void Accepts_a_question_about_a_term_that_nobody_entered() =>
        Assert.Null(New().Tell(Says(A, N1, new PreVoteRequest(T(1), I(0), T(0)))).Objection);

    [Fact]
    public void Rejects_a_vote_that_is_not_durable() =>
        Objects(New().Tell(HardState(B, 2, null)).Tell(Says(B, N0, new VoteReply(T(2), true))));

    [Fact]
    public void Rejects_a_vote_for_another_than_the_durable_one() =>
        Objects(New().Tell(HardState(B, 2, new ReplicaId(N2, new StoreId(3)))).Tell(Says(B, N0, new VoteReply(T(2), true))));

    [Fact]
    public void Rejects_two_votes_in_one_term() => Objects(
        New().Tell(HardState(B, 2, A)).Tell(Says(B, N0, new VoteReply(T(2), true)))
            .Tell(HardState(B, 2, new ReplicaId(N2, new StoreId(3)))).Tell(Says(B, N2, new VoteReply(T(2), true))));

    [Fact]
    public void Accepts_the_same_vote_said_twice() => Assert.Null(
        New().Tell(HardState(B, 2, A)).Tell(Says(B, N0, new VoteReply(T(2), true))).Tell(Says(B, N0, new VoteReply(T(2), true))).Objection);

    [Fact]
    public void Rejects_an_ack_of_entries_that_are_not_durable() =>
        Objects(New().Tell(HardState(B, 2, A)).Tell(Entries(B, 1, 2)).Tell(Says(B, N0, new AppendAccepted(T(2), I(2)))));

    [Fact]
    public void Rejects_an_ack_of_an_index_where_the_durable_entry_is_of_another_term() => Objects(
        New().Tell(HardState(A, 2, A)).Tell(Says(A, N1, Append(2, 1, 1, 2)))
            .Tell(HardState(B, 2, A)).Tell(Entries(B, 1, 1, 1)).Tell(Says(B, N0, new HeartbeatReply(T(2), 0, I(2)))));

    [Fact]
    public void Rejects_an_ack_of_an_older_entry_that_the_leader_has_otherwise() => Objects(
        New().Tell(HardState(A, 3, A)).Tell(Says(A, N1, Append(3, 1, 1, 2, 3)))
            .Tell(HardState(B, 3, A)).Tell(Entries(B, 1, 1, 1)).Tell(Says(B, N0, new AppendAccepted(T(3), I(2)))));

    [Fact]
    public void Rejects_an_ack_of_entries_that_were_cut() => Objects(
        New().Tell(HardState(B, 2, A)).Tell(Entries(B, 1, 1, 1, 1)).Tell(Entries(B, 2, 2)).Tell(Says(B, N0, new AppendAccepted(T(2), I(3)))));

    [Fact]
    public void Accepts_an_ack_of_an_installed_snapshot() => Assert.Null(
        New().Tell(HardState(B, 2, A)).Tell(Entries(B, 1, 1)).Tell(new HistoryEvent.ResetDurable(B, Group, I(9), T(1)))
            .Tell(Says(B, N0, new AppendAccepted(T(2), I(9)))).Objection);

    [Theory]
    [InlineData(3, true)]
    [InlineData(1, false)]
    public void A_reset_that_is_said_again_counts_where_the_log_ends_below_it(long index, bool cutsTheLog)
    {
        Story story = New().Tell(HardState(B, 2, A)).Tell(Entries(B, 1, 1, 1)).Tell(new HistoryEvent.ResetDurable(B, Group, I(index), T(1), IsState: true))
            .Tell(Says(B, N0, new AppendAccepted(T(2), I(3))));
        Assert.Equal(cutsTheLog, story.Objection is null);
    }

    [Fact]
    public void Rejects_an_ack_by_what_another_store_of_the_node_held() =>
        Objects(New().Tell(HardState(B, 2, A)).Tell(Entries(B, 1, 2)).Tell(HardState(Other(B), 2, A)).Tell(Says(Other(B), N0, new AppendAccepted(T(2), I(1)))));

    [Fact]
    public void Rejects_an_ack_by_what_an_earlier_life_of_the_replica_held() => Objects(
        New().Tell(HardState(B, 2, A)).Tell(Entries(B, 1, 2))
            .Tell(new HistoryEvent.HardStateDurable(B, Group.WithLife(4), T(2), null)).Tell(Says(B, N0, new AppendAccepted(T(2), I(1)))));

    private static ReplicaId Other(ReplicaId replica) => new(replica.Node, new StoreId(99));

    private static HistoryEvent.HardStateDurable HardState(ReplicaId by, int term, ReplicaId? vote) => new(by, Group, T(term), vote);

    private static HistoryEvent.EntriesDurable Entries(ReplicaId by, long first, params int[] terms) =>
        new(by, Group, I(first), [.. terms.Select(T)]);

    private static HistoryEvent.Said Says(ReplicaId by, NodeId to, RaftMessage message) => new(by, to, Group, message);

    private static AppendEntries Append(int term, long previousIndex, int previousTerm, params int[] terms) => new(
        T(term), I(previousIndex), T(previousTerm), I(0),
        [.. terms.Select((entryTerm, i) => new Entry(I(previousIndex + 1 + i), T(entryTerm), EntryKind.FirstOfStateMachine, ReadOnlyMemory<byte>.Empty))]);

    private static Term T(int term) => new(term);

    private static LogIndex I(long index) => new(index);

    private static Story New() => new(new SaidDurableChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
