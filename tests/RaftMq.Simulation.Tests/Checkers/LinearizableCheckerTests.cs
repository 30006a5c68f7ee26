using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class LinearizableCheckerTests
{
    private readonly LinearizableChecker _checker = new();
    private long _calls;
    private string? _objection;

    [Fact]
    public void Accepts_calls_one_after_the_other()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        Do(new ObjectCall.Create(1), CallOutcome.Refused);
        Do(new ObjectCall.Grow(3), CallOutcome.Done);
        Do(new ObjectCall.Grow(2), CallOutcome.Refused);
        Do(new ObjectCall.Set(7), CallOutcome.Done);
        Finds(3, 7);
        Do(new ObjectCall.Delete(), CallOutcome.Done);
        Do(new ObjectCall.Delete(), CallOutcome.Absent);
        Do(new ObjectCall.Set(8), CallOutcome.Absent);
        Do(new ObjectCall.Grow(3), CallOutcome.Absent);
        Finds(0, 0);
        Assert.Null(_objection);
    }

    [Fact]
    public void Accepts_any_order_of_calls_at_the_same_time()
    {
        long first = Begin(new ObjectCall.Create(1));
        long second = Begin(new ObjectCall.Create(2));
        End(first, CallOutcome.Refused);
        End(second, CallOutcome.Done);
        Finds(2, 0);
        Assert.Null(_objection);
    }

    [Fact]
    public void Accepts_a_read_of_before_that_ends_after()
    {
        Do(new ObjectCall.Commit(1), CallOutcome.Done);
        long read = Begin(new ObjectCall.Read());
        Do(new ObjectCall.Commit(2), CallOutcome.Done);
        End(read, CallOutcome.Done, new ObjectState(0, 1));
        Assert.Null(_objection);
    }

    [Fact]
    public void Accepts_a_lost_call_that_takes_effect_late_or_never()
    {
        Do(new ObjectCall.Commit(1), CallOutcome.Done);
        long lost = Begin(new ObjectCall.Commit(2));
        Observe(new HistoryEvent.CallLost(lost));
        Finds(0, 1);
        Finds(0, 2);
        Assert.Null(_objection);
    }

    [Fact]
    public void Rejects_a_read_older_than_what_was_acknowledged()
    {
        Do(new ObjectCall.Commit(1), CallOutcome.Done);
        Do(new ObjectCall.Commit(2), CallOutcome.Done);
        Finds(0, 1);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_value_that_was_never_written()
    {
        Do(new ObjectCall.Commit(1), CallOutcome.Done);
        Finds(0, 5);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_value_that_comes_back()
    {
        Do(new ObjectCall.Commit(1), CallOutcome.Done);
        long lost = Begin(new ObjectCall.Commit(2));
        Observe(new HistoryEvent.CallLost(lost));
        Finds(0, 2);
        Finds(0, 1);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_lost_update()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        long first = Begin(new ObjectCall.Set(1));
        long second = Begin(new ObjectCall.Set(2));
        End(first, CallOutcome.Done);
        End(second, CallOutcome.Done);
        Finds(1, 0);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_two_creations_that_both_made_it()
    {
        long first = Begin(new ObjectCall.Create(1));
        long second = Begin(new ObjectCall.Create(1));
        End(first, CallOutcome.Done);
        End(second, CallOutcome.Done);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_a_topic_after_its_deletion_was_acknowledged()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        Do(new ObjectCall.Delete(), CallOutcome.Done);
        Do(new ObjectCall.Set(1), CallOutcome.Done);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_exists_already_where_only_this_creation_can_have_made_it()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Refused);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_the_calls_own_doing_as_its_hindrance()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        Do(new ObjectCall.Grow(2), CallOutcome.Refused);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_that_a_deletion_found_nothing_where_a_topic_was()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        Do(new ObjectCall.Delete(), CallOutcome.Absent);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_partitions_that_went_away()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        Do(new ObjectCall.Grow(4), CallOutcome.Done);
        Do(new ObjectCall.Grow(3), CallOutcome.Done);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Rejects_that_a_topic_is_absent_that_nobody_deleted()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        Do(new ObjectCall.Set(1), CallOutcome.Absent);
        Assert.NotNull(_objection);
    }

    [Fact]
    public void Accepts_a_late_call_that_is_over_on_what_was_made_before()
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        long late = Begin(new ObjectCall.Set(5));
        Observe(new HistoryEvent.CallLost(late));
        Do(new ObjectCall.Delete(), CallOutcome.Done);
        Do(new ObjectCall.Create(2), CallOutcome.Done);
        Observe(new HistoryEvent.CallOver(late));
        Finds(2, 0);
        Finds(2, 5);
        Assert.Null(_objection);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rejects_a_late_call_on_a_topic_that_was_made_when_it_was_over(bool isDeletion)
    {
        Do(new ObjectCall.Create(1), CallOutcome.Done);
        long late = Begin(isDeletion ? new ObjectCall.Delete() : new ObjectCall.Set(5));
        Observe(new HistoryEvent.CallLost(late));
        Observe(new HistoryEvent.CallOver(late));
        Do(new ObjectCall.Delete(), CallOutcome.Done);
        Do(new ObjectCall.Create(2), CallOutcome.Done);
        Finds(2, 0);
        Assert.Null(_objection);
        if (isDeletion)
        {
            Finds(0, 0);
        }
        else
        {
            Finds(2, 5);
        }

        Assert.NotNull(_objection);
    }

    /// <summary>The node that was asked knew of no topic, so the call is for whatever has the name when it arrives.</summary>
    [Fact]
    public void Accepts_a_late_call_of_which_nobody_said_that_it_is_over()
    {
        long late = Begin(new ObjectCall.Set(5));
        Observe(new HistoryEvent.CallLost(late));
        Do(new ObjectCall.Create(2), CallOutcome.Done);
        Finds(2, 5);
        Assert.Null(_objection);
    }

    [Fact]
    public void Says_nothing_of_an_object_with_too_many_calls_that_never_ended()
    {
        for (int i = 1; i <= 20; i++)
        {
            Observe(new HistoryEvent.CallLost(Begin(new ObjectCall.Commit(i))));
        }

        Finds(0, 99);
        Assert.Null(_objection);
        Assert.Equal(1, _checker.Undecided);
    }

    private void Do(ObjectCall what, CallOutcome outcome) => End(Begin(what), outcome);

    private void Finds(long partitions, long value) => End(Begin(new ObjectCall.Read()), CallOutcome.Done, new ObjectState(partitions, value));

    private long Begin(ObjectCall what)
    {
        Observe(new HistoryEvent.CallStarted(++_calls, "o", what));
        return _calls;
    }

    private void End(long call, CallOutcome outcome, ObjectState found = default) => Observe(new HistoryEvent.CallEnded(call, outcome, found));

    private void Observe(HistoryEvent happened) => _objection ??= _checker.Observe(happened);
}
