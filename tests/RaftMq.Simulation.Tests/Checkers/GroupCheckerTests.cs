using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class GroupCheckerTests
{
    private readonly GroupChecker _checker = new();
    private long _requests;
    private string? _objection;

    [Fact]
    public void Accepts_generations_one_after_the_other()
    {
        Generation(1, "a", ("a", [0, 1]), ("b", [2]));
        Commit(1, "a", 0);
        Generation(2, "b", ("b", [0, 1, 2]));
        Commit(2, "b", 0);
        Assert.Null(_objection);
    }

    [Fact]
    public void Accepts_a_commit_of_before_that_is_stored_after()
    {
        Generation(1, "a", ("a", [0]));
        long asked = Ask();
        Generation(2, "b", ("b", [0]));
        Committed(asked, 1, "a", 0);
        Assert.Null(_objection);
    }

    [Fact]
    public void Rejects_a_commit_of_who_is_fenced()
    {
        Generation(1, "a", ("a", [0]));
        Generation(2, "b", ("b", [0]));
        Commit(1, "a", 0);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_commit_for_a_partition_of_another_member()
    {
        Generation(1, "a", ("a", [0]), ("b", [1]));
        Commit(1, "a", 1);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_partition_with_two_owners()
    {
        Generation(1, "a", ("a", [0]), ("b", [0]));
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_an_assignment_that_the_leader_did_not_make()
    {
        Generation(1, "a", ("a", [0]));
        Observe(new HistoryEvent.MemberAssigned("g", 1, "b", [1]));
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_generation_with_two_leaders()
    {
        Join(1, "a", "a");
        Join(1, "b", "b");
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_generation_older_than_one_that_was_told()
    {
        Generation(2, "a", ("a", [0]));
        Join(1, "b", "b");
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_group_that_stands_still_after_the_faults()
    {
        Observe(new HistoryEvent.GroupExpected("g"));
        Generation(1, "a", ("a", [0]));
        Commit(1, "a", 0);
        Observe(new HistoryEvent.Healed(1_000_000));
        Observe(new HistoryEvent.Ended(60_000_000));
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Accepts_a_group_that_goes_on_after_the_faults()
    {
        Observe(new HistoryEvent.GroupExpected("g"));
        Generation(1, "a", ("a", [0]));
        Observe(new HistoryEvent.Healed(1_000_000));
        Commit(1, "a", 0, atUs: 1_000_000 + GroupChecker.MovesWithinUs);
        Observe(new HistoryEvent.Ended(60_000_000));
        Assert.Null(_objection);
    }

    [Fact]
    public void Rejects_a_group_that_goes_on_too_late_after_the_faults()
    {
        Observe(new HistoryEvent.GroupExpected("g"));
        Generation(1, "a", ("a", [0]));
        Observe(new HistoryEvent.Healed(1_000_000));
        Commit(1, "a", 0, atUs: 1_000_001 + GroupChecker.MovesWithinUs);
        Observe(new HistoryEvent.Ended(60_000_000));
        Assert.NotNull(_objection);
    }

    private void Generation(int number, string leader, params (string Member, int[] Partitions)[] members)
    {
        Observe(new HistoryEvent.AssignmentMade(
            "g", number, members.ToDictionary(m => m.Member, m => (IReadOnlyList<int>)m.Partitions, StringComparer.Ordinal)));
        foreach ((string member, int[] partitions) in members)
        {
            Join(number, member, leader);
            Observe(new HistoryEvent.MemberAssigned("g", number, member, partitions));
        }
    }

    private void Join(int generation, string member, string leader) => Observe(new HistoryEvent.MemberJoined("g", Ask(), generation, member, leader));

    private void Commit(int generation, string member, int partition, long atUs = 0) => Committed(Ask(), generation, member, partition, atUs);

    private void Committed(long asked, int generation, string member, int partition, long atUs = 0) =>
        Observe(new HistoryEvent.MemberCommitted("g", asked, generation, member, partition, atUs));

    private long Ask()
    {
        Observe(new HistoryEvent.MemberAsked("g", ++_requests));
        return _requests;
    }

    private void Observe(HistoryEvent happened) => _objection ??= _checker.Observe(happened);
}
