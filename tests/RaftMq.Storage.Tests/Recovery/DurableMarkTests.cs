using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Segments;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>
/// How far segments are durable where the record that said so is recycled: the journal gave entries up only once they were, so what it no longer has
/// lies below. What lies below must be whole; what lies above proves nothing and is written again.
/// </summary>
public sealed class DurableMarkTests
{
    private const int Entries = 14;
    private static readonly LogIndex s_last = new(Entries);

    [Fact]
    public void Segments_of_which_the_journal_says_nothing_any_more_are_durable_to_their_end()
    {
        LogHarness original = SmallLog.Of(Entries);
        RecoveredGroup.Healthy found = Assert.IsType<RecoveredGroup.Healthy>(Recover(original, out _, static _ => { }));
        Assert.Equal(s_last, found.Log.LastIndex);
        Assert.Equal(s_last, found.Log.SyncedUpTo);

        // So a file that ends too early is damage, and is left as it is.
        RecoveredGroup.Damaged damaged = Assert.IsType<RecoveredGroup.Damaged>(Recover(original, out SimulatedDisk disk, static _ => { }, cutBytes: 1));
        Assert.Contains(LastSegment(disk, original), damaged.Report, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Entries, Entries + 1)]
    [InlineData(Entries, Entries)]
    [InlineData(Entries - 1, Entries)]
    [InlineData(Entries, Entries - 1)]
    public void What_lies_before_the_oldest_entry_of_the_journal_is_durable_and_the_rest_is_not(int oldest, int torn)
    {
        LogHarness original = SmallLog.Of(Entries);
        LogIndex first = new(oldest);
        int cutBytes = original.Oracle.Skip(torn).Sum(static bytes => bytes.Length) + (torn > Entries ? 0 : 1);
        RecoveredGroup found = Recover(
            original,
            out _,
            replay =>
            {
                replay.Entries(LogHarness.Group, [.. original.Oracle.Skip(oldest - 1).Select(bytes => StoredEntry.ToEntry(bytes))]);
                replay.Commit(LogHarness.Group, s_last);
            },
            cutBytes);
        if (torn < oldest)
        {
            Assert.IsType<RecoveredGroup.Damaged>(found);
            return;
        }

        RecoveredGroup.Healthy healthy = Assert.IsType<RecoveredGroup.Healthy>(found);
        Assert.Equal(s_last, healthy.Log.LastIndex);
        Assert.Equal(first.Previous, healthy.Log.SyncedUpTo);
    }

    /// <summary>The second: what an earlier start found and cut, which then ended before it had cut the segments.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(null)]
    public void Segments_of_a_group_of_which_the_journal_lost_entries_are_not_taken_for_durable(int? cutFrom)
    {
        LogHarness original = SmallLog.Of(Entries);
        JournalDamage damage = JournalDamage.Of(new LogPosition(original.Term, s_last), hardStateLost: false, 0);
        RecoveredGroup.Healthy found = Assert.IsType<RecoveredGroup.Healthy>(
            Recover(original, out _, replay => replay.Damaged(LogHarness.Group, cutFrom is { } from ? new LogIndex(from) : null, damage, "lost")));
        Assert.Equal(LogIndex.Zero, found.Log.LastIndex);
        Assert.Equal(s_last, found.Raft.Damage!.Held!.Value.Index);
    }

    /// <summary>A start from the disk of that log and what a journal says that it is told here.</summary>
    private static RecoveredGroup Recover(LogHarness original, out SimulatedDisk disk, Action<IJournalReplay> journal, int cutBytes = 0)
    {
        disk = original.Disk.Clone(new RandomSource(1));
        SimulatedDisk copy = disk;
        using (IDiskFile file = disk.Open(LastSegment(disk, original), DiskFileMode.Existing))
        {
            Assert.True(file.Length > cutBytes, "it reaches into the segment before");
            file.SetLength(file.Length - cutBytes);
            file.Sync();
        }

        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        IJournalReplay replay = store;
        replay.HardState(LogHarness.Group, new HardState(original.Term, Vote: null));
        journal(replay);
        return Assert.Single(store.Finish((_, _) => SmallLog.EnvironmentOf(copy, new FakeJournal(), out _)));
    }

    private static string LastSegment(SimulatedDisk disk, LogHarness original) =>
        $"{original.Log.Folder}/{disk.List(original.Log.Folder).Last(name => name.EndsWith(SegmentNames.LogSuffix, StringComparison.Ordinal))}";
}
