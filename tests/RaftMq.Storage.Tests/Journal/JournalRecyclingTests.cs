using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Journal;

public sealed class JournalRecyclingTests
{
    private static readonly GroupId A = Records.Group(1), B = Records.Group(2), C = Records.Group(3);
    private readonly JournalRig _rig = new JournalRig();
    private long _nextOfA = 1;

    [Fact]
    public void Hard_states_and_durable_marks_outlive_the_files_they_were_written_to()
    {
        _rig.OnReleaseWanted = Release;
        _rig.Start();
        _rig.Write(new JournalRecord { Group = B, HardState = Records.Hard(9, 2), Commit = new(0) });
        _rig.Write(new JournalRecord { Group = C, Reset = (new(70), new(3)) });
        FillWithA(filesRecycled: 12);
        Assert.Equal(1, _rig.Journal.Report.Generation);
        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
        Assert.Equal(Records.Hard(9, 2), _rig.Replayed.At(B).HardState);
        Assert.Equal(70, _rig.Replayed.At(C).SegmentsDurable);
        _rig.Write(Records.Of(C, Records.Entries(C, 71, 72, 3, 10)));
    }

    [Fact]
    public void L06_a_group_that_carries_its_entries_again_does_not_hold_up_the_journal()
    {
        Entry[] uncommitted = Records.Entries(B, 1, 3, 1, 200);
        int carried = 0;
        _rig.OnReleaseWanted = (group, upTo) =>
        {
            if (group == B)
            {
                Assert.Equal(3, upTo.Value);
                carried++;
                _rig.Append(Records.Of(B, uncommitted));
            }
            else
            {
                Release(group, upTo);
            }
        };
        _rig.Start();
        _rig.Write(Records.Of(B, uncommitted));
        FillWithA(filesRecycled: 12);
        Assert.True(carried > 1);
        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
        Assert.Equal(3, _rig.Replayed.At(B).Entries.Count);
    }

    [Fact]
    public void Each_group_is_asked_once_per_file_and_only_when_it_holds_something()
    {
        _rig.Start();
        _rig.Write(Records.Of(B, Records.Entries(B, 1, 2, 1, 10)), Records.Of(C, Records.Entries(C, 1, 1, 1, 10)));
        _rig.Write(new JournalRecord { Group = C, SegmentsDurable = new(1) });
        while (_rig.Journal.UsedBytes <= JournalRig.Small.DueBytes)
        {
            WriteA();
        }

        WriteA();
        WriteA();
        Assert.Single(_rig.ReleasesWanted, wish => wish.Group == B);
        Assert.Equal((B, new LogIndex(2)), _rig.ReleasesWanted.First(wish => wish.Group == B));
        Assert.DoesNotContain(_rig.ReleasesWanted, wish => wish.Group == C);
    }

    [Fact]
    public void A_journal_that_nobody_releases_says_full_and_stops_at_its_hard_limit_until_a_release_comes()
    {
        _rig.Start();
        while (!_rig.Journal.IsFull)
        {
            WriteA();
        }

        Assert.True(_rig.Journal.UsedBytes <= JournalRig.Small.TotalBytesMax);
        for (int i = 0; i < 300; i++)
        {
            _rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
        }

        _rig.Journal.Flush();
        _rig.Queue.RunAll();
        Assert.True(_rig.Journal.QueuedRecords > 0);
        Assert.True(_rig.Journal.UsedBytes <= JournalRig.Small.HardBytesMax);

        // The release stands behind all of them in the queue and overtakes.
        for (int quarter = 1; quarter <= 3; quarter++)
        {
            _rig.Append(new JournalRecord { Group = A, SegmentsDurable = new(_nextOfA * quarter / 4) });
            _rig.Journal.Flush();
            _rig.Queue.RunAll();

            // Not even with files that were freed.
            Assert.True(_rig.Journal.UsedBytes <= JournalRig.Small.HardBytesMax);
        }

        Assert.Equal(0, _rig.Journal.QueuedRecords);
        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
    }

    [Fact]
    public void D14_without_room_for_a_file_the_journal_waits_and_goes_on_when_there_is_room()
    {
        _rig.Start();
        _rig.Disk.CapacityBytesMax = _rig.Disk.List("journal").Count * JournalRig.Small.FileBytes;
        while (!_rig.Journal.IsFull)
        {
            _rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
            _rig.Journal.Flush();
            _rig.Queue.RunAll();
        }

        _rig.Append(Records.Of(A, Records.Entries(A, _nextOfA, _nextOfA + 99, 1, 3000)));
        _nextOfA += 100;
        _rig.Journal.Flush();
        _rig.Queue.RunAll();
        Assert.True(_rig.Journal.QueuedRecords > 0);
        _rig.Journal.Tick(1);
        _rig.Queue.RunAll();
        Assert.True(_rig.Journal.IsFull);

        _rig.Disk.CapacityBytesMax = long.MaxValue;
        _rig.Journal.Tick(2);
        _rig.Queue.RunAll();
        Assert.True(_rig.Journal.QueuedRecords > 0, "It does not try at every tick.");
        _rig.Journal.Tick(101);
        _rig.Queue.RunAll();
        Assert.Equal(0, _rig.Journal.QueuedRecords);
        Assert.Equal(_rig.Appended.Count, _rig.Acknowledged);
    }

    [Fact]
    public void A_deleted_group_is_told_once_and_then_forgotten()
    {
        _rig.OnReleaseWanted = Release;
        _rig.Start();
        _rig.Write(Records.Of(B, Records.Entries(B, 1, 2, 1, 10)));
        _rig.Write(new JournalRecord { Group = B, Deleted = true });
        _rig.Write(new JournalRecord { Group = B, SegmentsDurable = new(2) }); // Came too late; says nothing.
        _rig.Disk.ProcessCrash();
        _rig.RestartAndCheck();
        Assert.True(_rig.Replayed.At(B).Deleted);
        FillWithA(filesRecycled: 12);
        _rig.Disk.ProcessCrash();
        _rig.RestartAndCheck();
        Assert.DoesNotContain(B, _rig.Replayed.Groups.Keys);
    }

    [Fact]
    public void More_groups_than_a_file_can_name_get_larger_files()
    {
        _rig.OnReleaseWanted = Release;
        _rig.Start();
        for (int i = 100; i < 1100; i++)
        {
            _rig.Append(new JournalRecord { Group = Records.Group(i), HardState = Records.Hard(i, 1) });
        }

        _rig.Journal.Flush();
        _rig.Queue.RunAll();
        FillWithA(filesRecycled: 3);
        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
        Assert.Equal(Records.Hard(1099, 1), _rig.Replayed.At(Records.Group(1099)).HardState);
    }

    [Fact]
    public void D17_a_file_is_used_only_after_its_name_is_durable()
    {
        _rig.OnReleaseWanted = Release;
        _rig.Start();
        while (_rig.Journal.Statistics.FilesRecycled < 5)
        {
            WriteA();
            JournalRig after = new(_rig.Disk.Clone(new RandomSource(1)), JournalRig.Small)
            {
                Appended = [.. _rig.Appended],
                Acknowledged = _rig.Acknowledged,
            };
            after.Disk.PowerCut(part => part.Kind != UnsyncedKind.Name);
            after.RestartAndCheck();
            Assert.Equal(_rig.Acknowledged, after.Acknowledged);
        }
    }

    [Fact]
    public void Restarts_without_work_take_no_further_files()
    {
        _rig.Start();
        _rig.Write(Records.Of(B, Records.Entries(B, 1, 2, 1, 10)));
        int files = 0;
        for (int restart = 0; restart < 30; restart++)
        {
            _rig.Queue.RunAll();
            _rig.Seal();
            files = _rig.Disk.List("journal").Count;
            _rig.Disk.ProcessCrash();
            _rig.RestartAndCheck();
        }

        Assert.True(files <= 5, $"{files} files");
    }

    [Fact]
    public void A_reset_that_carries_entries_is_held_again_by_the_next_generation()
    {
        // Both in the last batch, so that the next start writes them anew (found by a random life, seed 1002).
        _rig.Start();
        _rig.Write(
            new JournalRecord { Group = B, Reset = (new(18), new(4)), Entries = Records.Entries(B, 19, 20, 4, 30) },
            new JournalRecord { Group = B, Reset = (new(25), new(4)), Entries = Records.Entries(B, 26, 27, 4, 30) });
        for (int restart = 0; restart < 3; restart++)
        {
            _rig.Disk.ProcessCrash();
            _rig.RestartAndCheck();
        }

        _rig.OnReleaseWanted = (group, upTo) => Release(group, group == B ? new LogIndex(25) : upTo);
        _rig.Write(Records.Of(B, Records.Entries(B, 28, 28, 4, 30)));
        while (_rig.Journal.UsedBytes <= JournalRig.Small.DueBytes + JournalRig.Small.FileBytes)
        {
            WriteA();
        }

        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
        Assert.Equal(3, _rig.Replayed.At(B).Entries.Count);
    }

    [Fact]
    public void A_vote_in_a_batch_that_replaces_its_own_entries_is_in_the_states_of_the_next_files()
    {
        _rig.OnReleaseWanted = Release;
        _rig.Start();
        _rig.Write(Records.Of(B, Records.Entries(B, 1, 5, 1, 30)));
        _rig.Write(
            new JournalRecord { Group = B, HardState = Records.Hard(3, 2) },
            new JournalRecord { Group = B, HardState = Records.Hard(4, 1), Entries = Records.Entries(B, 6, 9, 4, 30) },
            Records.Of(B, Records.Entries(B, 3, 4, 5, 30)));
        _rig.Disk.ProcessCrash();
        _rig.RestartAndCheck();
        FillWithA(filesRecycled: 12);
        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
        Assert.Equal(Records.Hard(4, 1), _rig.Replayed.At(B).HardState);
    }

    private void Release(GroupId group, LogIndex upTo) =>
        _rig.Append(new JournalRecord { Group = group, SegmentsDurable = upTo });

    private void WriteA()
    {
        _rig.Append(Records.Of(A, Records.Entry(A, _nextOfA++, 1, 3000)));
        _rig.Journal.Flush();
        _rig.Queue.RunAll();
    }

    private void FillWithA(int filesRecycled)
    {
        while (_rig.Journal.Statistics.FilesRecycled < filesRecycled)
        {
            WriteA();
        }
    }
}
