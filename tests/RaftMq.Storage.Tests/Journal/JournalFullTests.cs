using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>A journal at its limits: what still gets through, and that being full ends by itself (BOUNDED, D-14).</summary>
public sealed class JournalFullTests
{
    private static readonly GroupId A = Records.Group(1), B = Records.Group(2);
    private long _nextOfA = 1;

    [Fact]
    public void Hard_states_overtake_the_entries_of_a_journal_at_its_hard_limit_and_stay_in_their_order()
    {
        JournalRig rig = new JournalRig().Start();
        FillToHardLimit(rig);
        int stuck = rig.Journal.QueuedRecords;
        rig.Append(new JournalRecord { Group = A, HardState = Records.Hard(2), Entries = [Records.Entry(A, _nextOfA++, 2, 3000)] });
        rig.Append(new JournalRecord { Group = B, HardState = Records.Hard(7, 1) });
        rig.Append(new JournalRecord { Group = A, HardState = Records.Hard(3, 2) });
        Run(rig);

        Assert.Equal(3, rig.HardStatesOvertook);
        Assert.Equal(stuck + 3, rig.Journal.QueuedRecords);
        rig.Disk.PowerCut(_ => false);
        rig.RestartAndCheck();
        Assert.Equal(Records.Hard(3, 2), rig.Replayed.At(A).HardState);
        Assert.Equal(Records.Hard(7, 1), rig.Replayed.At(B).HardState);
    }

    [Fact]
    public void What_a_hard_state_overtook_is_written_without_it_once_there_is_room()
    {
        JournalRig rig = new JournalRig().Start();
        FillToHardLimit(rig);
        rig.Append(new JournalRecord { Group = A, HardState = Records.Hard(2), Entries = [Records.Entry(A, _nextOfA++, 2, 3000)] });
        rig.Append(new JournalRecord { Group = A, HardState = Records.Hard(3, 2) });
        Run(rig);
        for (int i = 1; i <= 4; i++)
        {
            rig.Append(new JournalRecord { Group = A, SegmentsDurable = new LogIndex(_nextOfA * i / 5) });
            Run(rig);
        }

        Assert.Equal(0, rig.Journal.QueuedRecords);
        rig.Disk.PowerCut(_ => false);
        rig.RestartAndCheck();
        Assert.Equal(Records.Hard(3, 2), rig.Replayed.At(A).HardState);
    }

    [Fact]
    public void Hard_states_do_not_wait_behind_entries_that_make_many_batches()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Queue.RunAll();
        for (int i = 0; i < 20; i++)
        {
            rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
        }

        rig.Append(new JournalRecord { Group = B, HardState = Records.Hard(7, 1) });
        rig.Journal.Flush();
        rig.Queue.Step(DiskLane.Journal);

        Assert.Equal(1, rig.HardStatesOvertook);
        Assert.True(rig.Journal.QueuedRecords > 10);
    }

    /// <summary>Behind the base they would say that the log ends with them: the next start would take no entry behind the base.</summary>
    [Fact]
    public void Entries_that_wait_are_not_written_behind_a_base_that_overtook_them_and_holds_them()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Write(Records.Of(B, Records.Entries(B, 1, 5, 1, 100)));
        FillToHardLimit(rig);
        rig.Append(Records.Of(B, Records.Entries(B, 3, 5, 1, 100)));
        rig.Append(new JournalRecord { Group = B, SegmentsDurable = new LogIndex(7), LogBase = new LogIndex(7) });
        Run(rig);
        Assert.True(rig.Journal.QueuedRecords > 0);
        for (int i = 1; i <= 4; i++)
        {
            rig.Append(new JournalRecord { Group = A, SegmentsDurable = new LogIndex(_nextOfA * i / 5) });
            Run(rig);
        }

        Assert.Equal(0, rig.Journal.QueuedRecords);
        Assert.Equal(rig.Appended.Count, rig.Acknowledged);
        rig.Disk.PowerCut(_ => false);
        rig.Start();
        Assert.Equal(7, rig.Replayed.At(B).LastIndex);
        rig.Append(Records.Of(B, Records.Entries(B, 8, 9, 1, 100)));
        Run(rig);
        rig.Start();
        Assert.Equal([8L, 9L], rig.Replayed.At(B).Entries.Keys);
    }

    [Fact]
    public void However_many_elections_there_are_a_full_disk_keeps_room_for_the_release_that_ends_it()
    {
        JournalRig rig = new JournalRig().Start();
        FillDisk(rig);
        int term = 1;
        for (int before = -1; before != rig.HardStatesOvertook;)
        {
            before = rig.HardStatesOvertook;
            rig.Append(new JournalRecord { Group = B, HardState = Records.Hard(term++, 1) });
            Run(rig);
        }

        Assert.True(rig.HardStatesOvertook > 0);
        Assert.True(rig.Journal.IsFull);
        Assert.Contains(rig.ReleasesWanted, wish => wish.Group == A);

        // No room came: the released file is used again.
        rig.Append(new JournalRecord { Group = A, SegmentsDurable = rig.ReleasesWanted.Last(wish => wish.Group == A).UpTo });
        Run(rig);
        rig.Journal.Tick(1_000);
        Run(rig);

        Assert.Equal(0, rig.Journal.QueuedRecords);
        Assert.Equal(rig.Appended.Count, rig.Acknowledged);
        rig.Disk.CapacityBytesMax = long.MaxValue;
        rig.Disk.PowerCut(_ => false);
        rig.RestartAndCheck();
        Assert.Equal(Records.Hard(term - 1, 1), rig.Replayed.At(B).HardState);
    }

    [Fact]
    public void A_disk_without_room_makes_files_due_long_before_the_limit()
    {
        JournalRig rig = new JournalRig(options: JournalRig.Small with { TotalBytesMax = 100 * JournalRig.Small.FileBytes }).Start();
        FillDisk(rig);

        Assert.True(rig.Journal.UsedBytes < JournalRig.Small.DueBytes);
        Assert.Contains(rig.ReleasesWanted, wish => wish.Group == A);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(8)]
    public void The_least_journal_is_full_only_for_as_long_as_a_release_takes(int files)
    {
        JournalRig rig = new(options: JournalRig.Small with { TotalBytesMax = files * JournalRig.Small.FileBytes });
        Queue<LogIndex> wishes = new();
        rig.OnReleaseWanted = (_, upTo) => wishes.Enqueue(upTo);
        rig.Start();
        int wasFull = 0;
        for (int i = 0; i < 1_000; i++)
        {
            if (rig.Journal.IsFull)
            {
                // The segments' disk takes its time, and nothing else is written meanwhile.
                wasFull++;
                Assert.NotEmpty(wishes);
                rig.Append(new JournalRecord { Group = A, SegmentsDurable = wishes.Dequeue() });
            }
            else
            {
                rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
            }

            Run(rig);
            Assert.True(rig.Journal.UsedBytes <= files * JournalRig.Small.FileBytes);
        }

        Assert.True(wasFull > 0);
        Assert.Equal(rig.Appended.Count, rig.Acknowledged);
    }

    [Fact]
    public void A_single_file_larger_than_the_limit_does_not_make_the_journal_full()
    {
        JournalRig rig = new JournalRig(options: JournalRig.Small with { TotalBytesMax = 4 * JournalRig.Small.FileBytes }).Start();
        rig.OnReleaseWanted = (group, upTo) => rig.Append(new JournalRecord { Group = group, SegmentsDurable = upTo });
        rig.Write(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
        rig.Write(Records.Of(A, Records.Entry(A, _nextOfA++, 1, (int)(9 * JournalRig.Small.FileBytes))));
        Run(rig);

        Assert.Equal(1, rig.Journal.UsedFiles);
        Assert.False(rig.Journal.IsFull);

        // Nobody is asked to release it while it is the only one: it must not be the last one.
        for (int i = 0; i < 40; i++)
        {
            rig.Write(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
        }

        Assert.True(rig.Journal.UsedBytes < 8 * JournalRig.Small.FileBytes);
    }

    /// <summary>Red without the file more: what the old log has in the oldest file is given up by the reset alone, which waits for that file.</summary>
    [Fact]
    public void A_reset_in_a_journal_that_its_own_old_log_has_filled_gets_through_behind_what_waits_before_it()
    {
        JournalRig rig = new JournalRig().Start();
        FillToHardLimit(rig);
        for (int i = 0; i < 30; i++)
        {
            rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
        }

        rig.Append(new JournalRecord { Group = A, Reset = (new LogIndex(10_000), new Term(3)) });
        Run(rig);

        Assert.Equal(0, rig.Journal.QueuedRecords);
        Assert.Equal(rig.Appended.Count, rig.Acknowledged);
        rig.Write(Records.Of(A, Records.Entry(A, 10_001, 3, 3000)));
        Assert.False(rig.Journal.IsFull);
        rig.Disk.PowerCut(_ => false);
        rig.RestartAndCheck();
    }

    /// <summary>Red where the wish for a file outlives the file: each one granted another, until all that waits was written past the limit.</summary>
    [Fact]
    public void What_elections_need_past_the_hard_limit_is_one_file_and_not_one_after_the_other()
    {
        JournalRig rig = new JournalRig().Start();
        FillToHardLimit(rig);
        for (int i = 0; i < 200; i++)
        {
            rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
        }

        Run(rig);
        long full = rig.Journal.UsedBytes;
        for (int term = 2; rig.Journal.UsedBytes == full; term++)
        {
            rig.Append(new JournalRecord { Group = B, HardState = Records.Hard(term) });
            rig.Journal.Flush();
            rig.Append(new JournalRecord { Group = B, HardState = Records.Hard(term, 1) });
            Run(rig);
        }

        Assert.Equal(full + JournalRig.Small.FileBytes, rig.Journal.UsedBytes);
        Assert.True(rig.Journal.QueuedRecords > 100);
    }

    /// <summary>Where journals are full of entries that only more entries can get committed, waiting for a release would be for ever.</summary>
    [Fact]
    public void What_waits_past_the_hard_limit_for_a_release_that_does_not_come_gets_a_file_a_second()
    {
        JournalRig rig = new JournalRig().Start();
        FillToHardLimit(rig);
        for (int i = 0; i < 200; i++)
        {
            rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
        }

        Run(rig);
        long full = rig.Journal.UsedBytes;
        for (int ms = 0; ms <= 3_500; ms += 10)
        {
            rig.Journal.Tick(ms);
            rig.Queue.RunAll();
            Assert.True(rig.Journal.UsedBytes <= full + (ms / 1000 * JournalRig.Small.FileBytes));
        }

        Assert.Equal(full + (3 * JournalRig.Small.FileBytes), rig.Journal.UsedBytes);
        Assert.True(rig.Journal.QueuedRecords > 50);
    }

    private static void Run(JournalRig rig)
    {
        rig.Journal.Flush();
        rig.Queue.RunAll();
    }

    private void FillToHardLimit(JournalRig rig)
    {
        while (rig.Journal.UsedBytes < JournalRig.Small.HardBytesMax - JournalRig.Small.FileBytes || rig.Journal.QueuedRecords == 0)
        {
            rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
            Run(rig);
        }
    }

    private void FillDisk(JournalRig rig)
    {
        rig.Queue.RunAll();
        rig.Disk.CapacityBytesMax = rig.Disk.List("journal").Count * JournalRig.Small.FileBytes;
        while (rig.Journal.QueuedRecords == 0)
        {
            rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
            Run(rig);
        }
    }
}
