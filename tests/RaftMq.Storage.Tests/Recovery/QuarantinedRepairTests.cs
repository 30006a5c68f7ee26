using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Repair;
using RaftMq.Storage.Segments;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>What the repair of a group that did not start says to the journal, and when: the next start goes by that.</summary>
public sealed class QuarantinedRepairTests
{
    private const int Entries = 14;

    /// <summary>
    /// Seed 179534117262400270 at 62578cb: the first segment was lost, and of its last entries the journal did not say that they were in segments: it had lost them.
    /// They were fetched, acknowledged, and would have been cut off by the next start.
    /// </summary>
    [Fact]
    public void What_a_repair_put_in_place_is_there_at_the_next_start_too()
    {
        LogHarness original = SmallLog.Of(Entries);
        LogIndex behindFirst = Segments(original.Disk, original).ElementAt(1).Previous;
        LogIndex told = behindFirst.Previous;
        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        disk.DeleteFile(SegmentNames.Log(original.Log.Folder, new LogIndex(1)));

        FakeJournal journal = new();
        journal.Append(new JournalRecord { Group = LogHarness.Group, HardState = new HardState(original.Term, Vote: null), SegmentsDurable = told });
        journal.Step();
        NodeStore store = Replayed(disk, journal, cutFrom: told.Next, original);
        GroupLogEnvironment environment = SmallLog.EnvironmentOf(disk, journal, out SteppedDiskQueue queue);
        Assert.IsType<RecoveredGroup.Damaged>(Assert.Single(store.Finish((_, _) => environment)));
        QuarantinedRepair repair = store.BeginRepair(LogHarness.Group, environment)!;
        Feed(repair, queue, original);
        Assert.False(repair.IsOver, "it does not begin before the journal has written what it relies on");
        while (journal.Step())
        {
            queue.RunAll();
        }

        Assert.Null(repair.Failure);
        Assert.True(repair.IsOver);
        LogIndex last = repair.Group!.Log.LastIndex;
        Assert.Equal(behindFirst, last);

        NodeStore again = Replayed(disk, journal, cutFrom: null, original);
        Assert.Equal(last, Assert.IsType<RecoveredGroup.Healthy>(Assert.Single(again.Finish((_, _) => environment))).Log.LastIndex);
    }

    private static NodeStore Replayed(SimulatedDisk disk, FakeJournal journal, LogIndex? cutFrom, LogHarness original)
    {
        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        journal.Replay(LogHarness.Group, store);
        JournalDamage damage = JournalDamage.Of(new LogPosition(original.Term, original.Log.LastIndex), hardStateLost: false, 0);
        ((IJournalReplay)store).Damaged(LogHarness.Group, cutFrom, damage, "lost");
        return store;
    }

    /// <summary>What other replicas have.</summary>
    private static void Feed(QuarantinedRepair repair, SteppedDiskQueue queue, LogHarness original)
    {
        queue.RunAll();
        while (repair.Wish is RepairWish.Entries wish)
        {
            Assert.True(repair.EntriesCame([.. EntriesOf(original, wish.From, wish.To)]));
            queue.RunAll();
        }
    }

    private static IEnumerable<Entry> EntriesOf(LogHarness original, LogIndex from, LogIndex to)
    {
        for (LogIndex index = from; index <= to; index = index.Next)
        {
            yield return StoredEntry.ToEntry(original.Oracle[(int)index.Value - 1]);
        }
    }

    private static IEnumerable<LogIndex> Segments(SimulatedDisk disk, LogHarness harness) => new GroupFolder(disk, harness.Log.Folder).Segments;
}
