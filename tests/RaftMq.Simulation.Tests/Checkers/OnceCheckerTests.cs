using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class OnceCheckerTests
{
    private const int Topic = 9;

    private static readonly HistoryEvent Refused = new HistoryEvent.RequestTold(N0, 1, IsRefused: true);

    private static readonly ReplicaId A = new(N0, new StoreId(1));
    private static readonly ReplicaId Next = new(N0, new StoreId(2));

    [Fact]
    public void Accepts_one_answer_that_many_copies_of_the_request_and_of_the_entry_get() => Assert.Null(
        New().Tell(Said(1)).Tell(Said(1)).Tell(Seen(5, 1)).Tell(Seen(5, 1)).Tell(Committed(5)).Tell(Seen(5, 1)).Tell(Committed(5)).Objection);

    [Fact]
    public void Rejects_a_second_answer() =>
        Assert.NotNull(New().Tell(Said(1)).Tell(Seen(5, 1)).Tell(Committed(5)).Tell(Seen(6, 1)).Tell(Committed(6)).Objection);

    [Fact]
    public void Accepts_a_second_answer_after_a_first_one_that_was_never_committed() =>
        Assert.Null(New().Tell(Said(1)).Tell(Seen(5, 1)).Tell(Seen(6, 1)).Tell(Committed(6)).Objection);

    [Fact]
    public void Rejects_that_a_refused_request_is_carried_out() =>
        Assert.NotNull(New().Tell(Said(1)).Tell(Seen(4, 1, changes: false, topic: 0)).Tell(Refused).Tell(Seen(5, 1)).Tell(Committed(5)).Objection);

    [Fact]
    public void Accepts_the_entry_that_says_the_refusal() => Assert.Null(
        New().Tell(Said(1)).Tell(Seen(5, 1, changes: false, topic: 0)).Tell(Refused).Tell(Committed(5)).Objection);

    [Fact]
    public void Accepts_it_of_another_folder_that_gave_the_same_number() => Assert.Null(
        New().Tell(Said(1)).Tell(Seen(4, 1, changes: false, topic: 0)).Tell(Refused).Tell(new HistoryEvent.RequestSaid(Next, 1, Topic))
            .Tell(Seen(5, 1) with { Asker = Next }).Tell(Committed(5)).Objection);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rejects_that_somebody_is_told_what_no_entry_says(bool isRefused) =>
        Assert.NotNull(New().Tell(Said(1)).Tell(new HistoryEvent.RequestTold(N0, 1, isRefused)).Objection);

    [Fact]
    public void Accepts_it_of_what_may_be_carried_out_as_often_as_it_comes() =>
        Assert.Null(New().Tell(new HistoryEvent.RequestSaid(A, 1, 0, IsOnce: false)).Tell(Refused).Objection);

    [Fact]
    public void Accepts_it_where_a_new_folder_asked_for_such_by_the_same_number() =>
        Assert.Null(New().Tell(Said(1)).Tell(new HistoryEvent.RequestSaid(Next, 1, 0, IsOnce: false)).Tell(Refused).Objection);

    [Fact]
    public void Rejects_that_another_topic_is_changed_than_was_meant() =>
        Assert.NotNull(New().Tell(Said(1)).Tell(Seen(5, 1, topic: Topic + 1)).Tell(Committed(5)).Objection);

    [Fact]
    public void Accepts_it_where_the_asked_node_knew_no_topic_of_that_name() =>
        Assert.Null(New().Tell(Said(1, topic: 0)).Tell(Seen(5, 1, topic: Topic + 1)).Tell(Committed(5)).Objection);

    private static HistoryEvent.RequestSaid Said(long number, int topic = Topic) => new(A, number, (UInt128)topic);

    private static HistoryEvent.AnswerEntrySeen Seen(long index, long number, bool changes = true, int topic = Topic) =>
        new(Group, new LogIndex(index), new Term(2), A, number, changes, (UInt128)topic);

    private static HistoryEvent.EntryCommitted Committed(long index) => new(N1, Group, new LogIndex(index), new Term(2));

    private static Story New() => new(new OnceChecker());
}
