using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class LeaderAnswersCheckerTests
{
    private static readonly ReplicaId A = new(N0, new StoreId(1));
    private static readonly ReplicaId B = new(N1, new StoreId(2));
    private static readonly ReplicaId C = new(N2, new StoreId(3));

    [Fact]
    public void Accepts_an_end_that_is_told_after_a_majority_answered() =>
        Assert.Null(New(Membership.Of(A, B, C)).Tell(Asked).Tell(Answers(B, N0)).Tell(Told).Objection);

    [Fact]
    public void Rejects_one_that_is_told_at_once() => Objects(New(Membership.Of(A, B, C)).Tell(Answers(B, N0)).Tell(Asked).Tell(Told));

    [Fact]
    public void Rejects_answers_to_another_leader() => Objects(New(Membership.Of(A, B, C)).Tell(Asked).Tell(Answers(B, N2)).Tell(Told));

    [Fact]
    public void Rejects_answers_of_learners() => Objects(New(new Membership([A, B], [], [C])).Tell(Asked).Tell(Answers(C, N0)).Tell(Told));

    [Fact]
    public void Rejects_answers_of_the_new_half_alone() => Objects(
        New(new Membership([A, C], [A, B], [])).Tell(Asked).Tell(Answers(C, N0)).Tell(Told));

    [Fact]
    public void Accepts_the_word_of_a_leader_that_is_alone() => Assert.Null(New(Membership.Of(A)).Tell(Asked).Tell(Told).Objection);

    [Fact]
    public void Rejects_an_ack_of_a_node_that_does_not_lead() =>
        Objects(New(Membership.Of(A)).Tell(new HistoryEvent.SendAcked(Group, M(1), 1, 0, N0, IsByLeader: false)));

    private static readonly HistoryEvent Asked = new HistoryEvent.EndAsked(Group, 1);
    private static readonly HistoryEvent Told = new HistoryEvent.EndTold(Group, N0, 1, 5);

    private static HistoryEvent.Said Answers(ReplicaId by, NodeId to) =>
        new(by, to, Group, new HeartbeatReply(new Term(1), 1, LogIndex.Zero));

    private static Story New(Membership membership) => new Story(new LeaderAnswersChecker())
        .Tell(new HistoryEvent.LeaderCommitted(A, Group, new Term(1), new LogIndex(1), new Term(1), membership, membership, LogIndex.Zero));

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
