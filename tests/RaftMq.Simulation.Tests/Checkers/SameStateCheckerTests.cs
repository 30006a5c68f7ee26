using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class SameStateCheckerTests
{
    private const int Distance = 32;

    [Fact]
    public void Accepts_replicas_that_made_the_same_of_their_log_and_one_that_lags() =>
        Assert.Null(New().Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(State(N2, 5, applied: 80)).Tell(End).Objection);

    [Fact]
    public void Rejects_states_that_differ_though_nothing_spoilt_one() =>
        Assert.NotNull(New().Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(State(N2, 5)).Tell(End).Objection);

    [Fact]
    public void Rejects_a_word_that_a_state_diverged_though_nothing_spoilt_it()
    {
        Assert.NotNull(New().Tell(new HistoryEvent.DivergenceTold(N1, "t-0")).Objection);
        Assert.NotNull(Spoilt().Tell(new HistoryEvent.DivergenceTold(N1, "t-0")).Objection);
        Assert.NotNull(Spoilt().Tell(new HistoryEvent.DivergenceTold(N2, "t-1")).Objection);

        // It was made anew since.
        Assert.NotNull(Spoilt().Tell(new HistoryEvent.DivergenceTold(N2, "t-0~3.40.5")).Objection);
    }

    [Fact]
    public void Rejects_that_nobody_knows_who_is_right_where_one_replica_is_spoilt() =>
        Assert.NotNull(Spoilt().Tell(new HistoryEvent.UndecidedTold(N0, "t-0")).Objection);

    [Fact]
    public void Accepts_a_spoilt_replica_that_is_found_out_and_made_anew() => Assert.Null(
        Calm(Spoilt().Tell(new HistoryEvent.DivergenceTold(N2, "t-0")), 31, 96)
            .Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(State(N2, 1, key: 9)).Tell(End).Objection);

    [Fact]
    public void Accepts_a_spoilt_replica_that_made_its_state_again_and_is_spoilt_again()
    {
        Assert.Null(Calm(Rebuilt(), 31, 33).Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(State(N2, 1)).Tell(End).Objection);
        Assert.Null(Rebuilt().Tell(new HistoryEvent.StateSpoilt(N2, Group, Group, "t-0")).Tell(new HistoryEvent.DivergenceTold(N2, "t-0")).Objection);
    }

    [Fact]
    public void Rejects_a_spoilt_replica_that_made_its_state_again_and_has_it_wrong_still()
    {
        Assert.NotNull(Rebuilt().Tell(new HistoryEvent.DivergenceTold(N2, "t-0")).Objection);
        Assert.NotNull(Calm(Rebuilt(), 31, 33).Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(State(N2, 5)).Tell(End).Objection);
    }

    [Fact]
    public void Rejects_a_spoilt_replica_that_is_still_there() => Assert.NotNull(
        Calm(Spoilt(), 31, 64).Tell(State(N2, 5)).Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(End).Objection);

    [Fact]
    public void Rejects_a_new_replica_that_is_as_wrong() => Assert.NotNull(
        Calm(Spoilt(), 31, 33).Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(State(N2, 5, key: 9)).Tell(End).Objection);

    [Fact]
    public void Accepts_a_spoilt_replica_whose_group_had_too_little_to_compare() => Assert.Null(
        Calm(Spoilt(), 32, 95).Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(State(N2, 5)).Tell(End).Objection);

    [Fact]
    public void Says_nothing_of_a_group_that_took_a_snapshot_from_a_spoilt_replica()
    {
        Story spread = Spoilt().Tell(new HistoryEvent.SnapshotGiven(N2, Group));
        Assert.Null(spread.Tell(new HistoryEvent.DivergenceTold(N1, "t-0~2.7.4")).Tell(new HistoryEvent.UndecidedTold(N0, "t-0")).Objection);
        Assert.Null(Calm(spread, 0, 96).Tell(State(N0, 1)).Tell(State(N1, 1)).Tell(State(N2, 5)).Tell(End).Objection);
        Assert.NotNull(spread.Tell(new HistoryEvent.DivergenceTold(N1, "t-1")).Objection);

        // One that came from elsewhere spoils nothing.
        Assert.NotNull(Spoilt().Tell(new HistoryEvent.SnapshotGiven(N0, Group)).Tell(new HistoryEvent.DivergenceTold(N1, "t-0")).Objection);
    }

    private static HistoryEvent End => new HistoryEvent.Ended(0);

    private static Story New() => new(new SameStateChecker(Distance));

    private static Story Spoilt() => New().Tell(new HistoryEvent.StateSpoilt(N2, Group, Group, "t-0"));

    private static Story Rebuilt() =>
        Spoilt().Tell(new HistoryEvent.DivergenceTold(N2, "t-0")).Tell(new HistoryEvent.StateRebuiltTold(N2, "t-0"));

    private static Story Calm(Story story, long committedBefore, long committedAfter) => story
        .Tell(new HistoryEvent.EntryCommitted(N0, Group, new LogIndex(committedBefore), new Term(1))).Tell(new HistoryEvent.CalmBegan())
        .Tell(new HistoryEvent.EntryCommitted(N0, Group, new LogIndex(committedAfter), new Term(1))).Tell(new HistoryEvent.CalmEnded());

    private static HistoryEvent.StateAtEnd State(NodeId node, ulong hash, int key = 7, long applied = 100) =>
        new(node, Group, new GroupId((UInt128)key), new LogIndex(applied), hash);
}
