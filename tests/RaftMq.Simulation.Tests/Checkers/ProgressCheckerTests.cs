using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class ProgressCheckerTests
{
    [Fact]
    public void Accepts_an_unanswered_commit_that_happened_or_did_not() =>
        Assert.Null(New().Commit(1).CommitAcked(1).Commit(2).Fetch(1).Fetched(1, 1).Fetch(2).Fetched(2, 2).Whole(0, 2).Objection);

    [Fact]
    public void Accepts_an_answer_that_was_asked_for_before_the_commit() =>
        Assert.Null(New().Commit(1).Fetch(1).CommitAcked(1).Fetched(-1, 1).Objection);

    [Fact]
    public void Rejects_a_lost_commit() => Objects(New().Commit(1).CommitAcked(1).Fetch(1).Fetched(-1, 1));

    [Fact]
    public void Rejects_an_offset_that_went_back() =>
        Objects(New().Commit(1).CommitAcked(1).Commit(2).CommitAcked(2).Fetch(1).Fetched(1, 1));

    [Fact]
    public void Rejects_an_offset_that_goes_back_after_it_was_fetched() =>
        Objects(New().Commit(1).CommitAcked(1).Commit(2).Fetch(1).Fetched(2, 1).Fetch(2).Fetched(1, 2));

    [Fact]
    public void Rejects_an_offset_that_nobody_committed() => Objects(New().Commit(1).Fetch(1).Fetched(3, 1));

    [Fact]
    public void Rejects_an_offset_ahead_of_the_log() =>
        Objects(New().Commit(5).CommitAcked(5).Fetch(1).Fetched(5, 1).Whole(0, 3));

    private static Story New() => new(new ProgressChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
