using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class DiskOrderCheckerTests
{
    private static readonly ReplicaId A = new(N0, new StoreId(1));
    private static readonly string Folder = $"groups/t-0-{Group}";

    [Fact]
    public void Accepts_a_checkpoint_that_is_durable_and_not_above_the_log() => Assert.Null(New().Tell(Named("newest", 3)).Objection);

    [Fact]
    public void Rejects_a_file_that_takes_its_name_before_its_bytes_are_durable() =>
        Objects(New().Tell(new HistoryEvent.FileRenamed(N0, "identity.new", "identity", IsDurable: false)));

    [Theory]
    [InlineData("newest")]
    [InlineData("base")]
    public void Rejects_a_checkpoint_above_the_durable_log(string kind) => Objects(New().Tell(Named(kind, 4)));

    /// <summary>Seed 179534000004300028 at b323136: a full journal carried an older entry on, behind the record of the base with which all others begin.</summary>
    [Fact]
    public void Rejects_a_checkpoint_where_an_entry_below_was_carried_behind_the_record_of_its_base() =>
        Objects(New()
            .Tell(new HistoryEvent.SegmentsDurable(A, Group, new LogIndex(7)))
            .Tell(new HistoryEvent.EntriesDurable(A, Group, new LogIndex(3), [new Term(1)]))
            .Tell(Named("base", 7)));

    [Fact]
    public void Rejects_a_checkpoint_above_a_log_whose_end_was_written_anew() =>
        Objects(New().Tell(new HistoryEvent.EntriesDurable(A, Group, new LogIndex(2), [new Term(1), new Term(2)])).Tell(Named("base", 4)));

    [Fact]
    public void Accepts_a_checkpoint_that_was_received() => Assert.Null(New().Tell(Named("install", 40)).Objection);

    [Fact]
    public void Accepts_that_a_segment_goes_which_a_base_covers() => Assert.Null(New().Tell(Deleted(1, 3, 2)).Objection);

    [Fact]
    public void Rejects_that_a_segment_goes_which_no_base_covers() => Objects(New().Tell(Deleted(1, 3, 1)));

    [Fact]
    public void Rejects_that_the_last_segment_goes_without_a_base() => Objects(New().Tell(Deleted(1, null)));

    [Fact]
    public void Accepts_that_a_segment_goes_which_the_journal_still_has() => Assert.Null(New().Tell(Deleted(3, null)).Objection);

    [Fact]
    public void Accepts_that_a_segment_goes_of_which_the_journal_lost_what_it_said() =>
        Assert.Null(New().Tell(new HistoryEvent.LossDurable(A, Group, new LogIndex(2), IsRecorded: true)).Tell(Deleted(2, null)).Objection);

    [Fact]
    public void Rejects_that_a_segment_goes_below_what_was_lost() =>
        Objects(New().Tell(new HistoryEvent.LossDurable(A, Group, new LogIndex(2), IsRecorded: true)).Tell(Deleted(1, 2)));

    [Fact]
    public void Rejects_a_damaged_entry_that_is_written_on() =>
        Objects(New().Tell(new HistoryEvent.BrokenEntryDurable(A, Group, new LogIndex(1))));

    /// <summary>A log of three entries, of which segments have two.</summary>
    private static Story New() => new Story(new DiskOrderChecker())
        .Tell(new HistoryEvent.EntriesDurable(A, Group, new LogIndex(1), [new Term(1), new Term(1), new Term(1)]))
        .Tell(new HistoryEvent.SegmentsDurable(A, Group, new LogIndex(2)));

    private static HistoryEvent.FileRenamed Named(string kind, int index) =>
        new(N0, $"{Folder}/x.tmp", $"{Folder}/{kind}-{index:D20}.checkpoint", IsDurable: true);

    private static HistoryEvent.SegmentDeleted Deleted(long first, long? next, params long[] bases) => new(
        N0, Group, new LogIndex(first), next is { } value ? new LogIndex(value) : null, [.. bases.Select(b => new LogIndex(b))]);

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
