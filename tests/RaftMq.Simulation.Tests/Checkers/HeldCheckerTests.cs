using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class HeldCheckerTests
{
    private static readonly ReplicaId A = new(N0, new StoreId(1));
    private static readonly ReplicaId B = new(N1, new StoreId(2));

    [Fact]
    public void Accepts_a_loss_that_is_recorded_and_made_up_for() => Assert.Null(
        New().Tell(HardState(B, 2)).Tell(Entries(B, 1, 1, 1, 2)).Tell(Loss(B, 2)).Tell(Started(B, 1, 2))
            .Tell(Asks(A, 3, 3, 2)).Tell(HardState(B, 3)).Tell(Says(B, N0, new VoteReply(T(3), true)))
            .Tell(Entries(B, 2, 1, 2)).Tell(new HistoryEvent.HealedDurable(B, Group)).Objection);

    [Fact]
    public void Accepts_that_it_is_whole_again_with_a_log_of_a_later_term() => Assert.Null(
        New().Tell(Entries(B, 1, 1, 1, 2)).Tell(Loss(B, 2)).Tell(Entries(B, 2, 3)).Tell(new HistoryEvent.HealedDurable(B, Group)).Objection);

    [Fact]
    public void Rejects_a_log_that_is_shorter_after_a_start() =>
        Objects(New().Tell(Entries(B, 1, 1, 1, 2)).Tell(Started(B, 2, 0)));

    [Fact]
    public void Rejects_an_older_term_after_a_start() =>
        Objects(New().Tell(HardState(B, 2)).Tell(Entries(B, 1, 1)).Tell(Started(B, 1, 1)));

    [Fact]
    public void Rejects_a_cut_without_a_record_of_what_was_held() =>
        Objects(New().Tell(Entries(B, 1, 1, 1, 2)).Tell(new HistoryEvent.LossDurable(B, Group, I(3), IsRecorded: false)));

    [Fact]
    public void Rejects_a_vote_for_less_than_what_was_held() => Objects(
        New().Tell(Entries(B, 1, 1, 1, 2)).Tell(Loss(B, 2)).Tell(Asks(A, 3, 2, 2)).Tell(Says(B, N0, new VoteReply(T(3), true))));

    [Fact]
    public void Rejects_a_vote_for_less_than_what_was_held_before_a_second_loss() => Objects(
        New().Tell(Entries(B, 1, 1, 1, 2)).Tell(Loss(B, 3)).Tell(Loss(B, 1)).Tell(Asks(A, 3, 2, 2)).Tell(Says(B, N0, new VoteReply(T(3), true))));

    [Fact]
    public void Rejects_that_it_is_whole_again_with_less_than_it_held() => Objects(
        New().Tell(Entries(B, 1, 1, 1, 2)).Tell(Loss(B, 2)).Tell(Entries(B, 2, 1)).Tell(new HistoryEvent.HealedDurable(B, Group)));

    [Fact]
    public void Rejects_an_answer_in_a_term_below_one_that_it_voted_in_before_the_start() => Objects(
        New().Tell(HardState(B, 3)).Tell(Says(B, N0, new VoteReply(T(3), true))).Tell(HardState(B, 2)).Tell(Started(B, 0, 2))
            .Tell(Says(B, N0, new HeartbeatReply(T(2), 0, I(0)))));

    [Fact]
    public void Accepts_an_older_answer_that_leaves_late_in_the_same_life() => Assert.Null(
        New().Tell(HardState(B, 3)).Tell(Says(B, N0, new VoteReply(T(3), true))).Tell(Says(B, N0, new HeartbeatReply(T(2), 0, I(0)))).Objection);

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    public void Who_lost_its_term_follows_somebody_once_it_was_told_one_since_its_start_or_is_whole(bool isTold, bool isWhole, bool mayFollow)
    {
        Story story = New().Tell(Entries(B, 1, 1, 1)).Tell(Loss(B, 3) with { IsTermLost = true })
            .Tell(Says(A, B.Node, new TermAnswer(T(3), default))).Tell(Started(B, 2, 1));
        if (isTold)
        {
            story.Tell(Says(A, B.Node, new TermAnswer(T(3), default)));
        }

        if (isWhole)
        {
            story.Tell(new HistoryEvent.HealedDurable(B, Group));
        }

        story.Tell(Says(B, N0, new HeartbeatReply(T(3), 0, I(0))));
        Assert.Equal(mayFollow, story.Objection is null);
    }

    private static HistoryEvent.HardStateDurable HardState(ReplicaId by, int term) => new(by, Group, T(term), null);

    private static HistoryEvent.EntriesDurable Entries(ReplicaId by, long first, params int[] terms) => new(by, Group, I(first), [.. terms.Select(T)]);

    private static HistoryEvent.LossDurable Loss(ReplicaId by, long from) => new(by, Group, I(from), IsRecorded: true);

    private static HistoryEvent.ReplicaStarted Started(ReplicaId by, long last, int term) => new(by, Group, I(last), T(term));

    private static HistoryEvent.Said Asks(ReplicaId by, int term, long lastIndex, int lastTerm) =>
        Says(by, N1, new VoteRequest(T(term), I(lastIndex), T(lastTerm), false));

    private static HistoryEvent.Said Says(ReplicaId by, NodeId to, RaftMessage message) => new(by, to, Group, message);

    private static Term T(int term) => new(term);

    private static LogIndex I(long index) => new(index);

    private static Story New() => new(new HeldChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
