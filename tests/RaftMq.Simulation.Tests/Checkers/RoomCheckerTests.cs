using RaftMq.Raft;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class RoomCheckerTests
{
    private const long Second = 1_000_000;

    [Fact]
    public void Accepts_records_while_there_is_room_and_for_as_long_as_the_node_can_not_know() =>
        Assert.Null(New().Tell(Room(0, free: 100)).Tell(End(1, 5)).Tell(Room(1, free: 9)).Tell(End(2, 6)).Tell(End(3, 6)).Tell(End(9, 6)).Objection);

    [Fact]
    public void Accepts_records_of_a_node_that_can_not_look_at_its_disk() =>
        Assert.Null(New().Tell(Room(0, free: 9, canLook: false)).Tell(End(5, 5)).Tell(Room(6, free: 9, canLook: false)).Tell(End(7, 6)).Objection);

    [Fact]
    public void Accepts_records_once_there_is_room_again() =>
        Assert.Null(New().Tell(Room(0, free: 9)).Tell(End(5, 5)).Tell(Room(6, free: 10)).Tell(End(7, 6)).Objection);

    [Fact]
    public void Accepts_records_once_the_node_has_found_room_that_is_gone_since() => Assert.Null(
        New().Tell(Room(0, free: 9)).Tell(End(5, 5)).Tell(new HistoryEvent.RoomFound(Story.N0, 10)).Tell(End(6, 6)).Tell(Room(6, free: 9)).Objection);

    [Fact]
    public void Rejects_records_though_the_node_found_no_room_or_another_one_did() => Objects(
        New().Tell(Room(0, free: 9)).Tell(End(5, 5)).Tell(new HistoryEvent.RoomFound(Story.N0, 9)).Tell(new HistoryEvent.RoomFound(Story.N1, 10)).Tell(End(6, 6)));

    [Fact]
    public void Accepts_a_longer_log_in_another_term_or_life() =>
        Assert.Null(New().Tell(Room(0, free: 9)).Tell(End(5, 5)).Tell(End(6, 6, term: 2)).Tell(Room(6, free: 9, life: 2)).Tell(End(6, 7, term: 2, life: 2)).Objection);

    [Fact]
    public void Rejects_records_taken_without_room() => Objects(New().Tell(Room(0, free: 9)).Tell(End(5, 5)).Tell(End(6, 6)));

    [Fact]
    public void Rejects_records_taken_without_room_however_often_that_is_seen() =>
        Objects(New().Tell(Room(0, free: 9)).Tell(Room(4, free: 3)).Tell(End(4, 5)).Tell(End(5, 6)));

    [Fact]
    public void Rejects_a_reserve_that_was_not_made_again() => Objects(New().Tell(new HistoryEvent.ReserveAtEnd(Story.N0, 0, 4096)));

    [Fact]
    public void Accepts_a_whole_reserve_and_none_where_none_is_wanted() =>
        Assert.Null(New().Tell(new HistoryEvent.ReserveAtEnd(Story.N0, 4096, 4096)).Tell(new HistoryEvent.ReserveAtEnd(Story.N1, 0, 0)).Objection);

    private static HistoryEvent Room(long atSecond, long free, bool canLook = true, int life = 1) =>
        new HistoryEvent.RoomSeen(Story.N0, life, free, 10, canLook, atSecond * Second);

    private static HistoryEvent End(long atSecond, long offset, int term = 1, int life = 1) =>
        new HistoryEvent.LeaderEndSeen(Story.N0, life, Story.Group, new Term(term), offset, atSecond * Second);

    private static Story New() => new(new RoomChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
