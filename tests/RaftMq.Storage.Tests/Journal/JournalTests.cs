using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Journal;

public sealed class JournalTests
{
    private static readonly GroupId A = Records.Group(1), B = Records.Group(2);
    private readonly JournalRig _rig = new JournalRig().Start();

    [Fact]
    public void An_empty_folder_gives_an_empty_journal_of_generation_one()
    {
        Assert.Equal(1, _rig.Journal.Generation);
        Assert.True(_rig.Journal.Report.FoundNothing);
        Assert.Empty(_rig.Replayed.Groups);
    }

    [Fact]
    public void What_was_written_comes_back_after_a_restart()
    {
        _rig.Write(
            new JournalRecord { Group = A, HardState = Records.Hard(3, 2), Entries = Records.Entries(A, 1, 5, 3, 100), Commit = new(4) },
            Records.Of(B, Records.Entries(B, 1, 2, 1, 5000)));
        _rig.Write(Records.Of(A, Records.Entries(A, 4, 6, 4, 10)));

        _rig.Disk.ProcessCrash();
        _rig.RestartAndCheck();
        Assert.Equal(2, _rig.Journal.Generation);
        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
        Assert.Equal(3, _rig.Acknowledged);
        Assert.Equal(Records.Hard(3, 2), _rig.Replayed.At(A).HardState);
    }

    [Fact]
    public void Nothing_is_acknowledged_before_the_sync_returned()
    {
        _rig.Queue.RunAll();
        long syncs = _rig.Disk.Counters.Syncs;
        _rig.Append(Records.Of(A, Records.Entry(A, 1, 1, 10)));
        Assert.Equal(0, _rig.Queue.SubmittedCount(DiskLane.Journal));
        _rig.Journal.Flush();
        Assert.True(_rig.Queue.Execute(DiskLane.Journal));
        Assert.Equal(syncs + 1, _rig.Disk.Counters.Syncs);
        Assert.Equal(0, _rig.Acknowledged);
        Assert.True(_rig.Queue.Complete(DiskLane.Journal));
        Assert.Equal(1, _rig.Acknowledged);
    }

    [Fact]
    public void Records_that_come_while_a_batch_is_on_its_way_make_one_batch()
    {
        _rig.Queue.RunAll();
        for (int i = 1; i <= 10; i++)
        {
            _rig.Append(Records.Of(A, Records.Entry(A, i, 1, 100)));
            _rig.Journal.Flush();
        }

        Assert.Equal(1, _rig.Queue.SubmittedCount(DiskLane.Journal));
        _rig.Queue.Step(DiskLane.Journal);
        Assert.Equal(1, _rig.Acknowledged);
        _rig.Queue.Step(DiskLane.Journal);
        Assert.Equal(10, _rig.Acknowledged);
        Assert.False(_rig.Journal.IsWriting);
        Assert.Equal(2, _rig.Journal.Statistics.Batches);
    }

    [Fact]
    public void A_batch_is_one_write_and_one_sync()
    {
        _rig.Queue.RunAll();
        DiskCounters before = _rig.Disk.Counters;
        _rig.Write(Records.Of(A, Records.Entries(A, 1, 8, 1, 1500)));
        Assert.Equal(before.Writes + 1, _rig.Disk.Counters.Writes);
        Assert.Equal(before.Syncs + 1, _rig.Disk.Counters.Syncs);
    }

    [Fact]
    public void A_record_over_the_batch_limit_travels_alone_and_in_a_larger_file()
    {
        Entry large = Records.Entry(A, 2, 1, 40 * 4096);
        _rig.Write(Records.Of(A, Records.Entry(A, 1, 1, 10)), Records.Of(A, large), Records.Of(A, Records.Entry(A, 3, 1, 10)));
        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
        _rig.Disk.ProcessCrash();
        _rig.RestartAndCheck();
        Assert.Equal(3, _rig.Acknowledged);
    }

    [Fact]
    public void An_idle_journal_seals_once()
    {
        _rig.Seal();
        long batches = _rig.Journal.Statistics.Batches;
        _rig.Write(Records.Of(A, Records.Entry(A, 1, 1, 10)));
        _rig.Journal.Tick(1000);
        _rig.Journal.Tick(1001);
        Assert.False(_rig.Journal.IsWriting);
        _rig.Journal.Tick(1002);
        Assert.True(_rig.Journal.IsWriting);
        _rig.Queue.RunAll();
        Assert.Equal(batches + 2, _rig.Journal.Statistics.Batches);
        for (int ms = 1003; ms < 2000; ms++)
        {
            _rig.Journal.Tick(ms);
        }

        Assert.False(_rig.Journal.IsWriting);
    }

    [Fact]
    public void Unsynced_tail_is_cut_and_what_was_acknowledged_stays()
    {
        _rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 2000)));
        _rig.Append(Records.Of(A, Records.Entries(A, 4, 6, 1, 2000)));
        _rig.Journal.Flush();
        _rig.Disk.CrashAfter(2); // The batch is written, its sync is where the process dies.
        Assert.Throws<SimulatedCrashException>(() => _rig.Queue.Execute(DiskLane.Journal));
        Assert.NotEmpty(_rig.Disk.Unsynced());

        RandomSource random = new(5);
        _rig.Disk.PowerCut(_ => random.OneIn(2));
        _rig.RestartAndCheck();
        Assert.Equal(1, _rig.Acknowledged);
        _rig.Write(Records.Of(A, Records.Entries(A, 4, 4, 2, 2000)));
        _rig.Disk.PowerCut(_ => true);
        _rig.RestartAndCheck();
        Assert.Equal(2, _rig.Acknowledged);
    }

    [Fact]
    public void What_a_killed_process_left_in_the_cache_is_durable_after_the_next_start()
    {
        _rig.Append(Records.Of(A, Records.Entries(A, 1, 3, 1, 2000)));
        _rig.Journal.Flush();
        _rig.Disk.CrashAfter(2);
        Assert.Throws<SimulatedCrashException>(() => _rig.Queue.Execute(DiskLane.Journal));
        _rig.Disk.ProcessCrash();
        _rig.RestartAndCheck();
        Assert.Equal(1, _rig.Acknowledged); // Found, so from now on it may have been told to others.

        _rig.Disk.PowerCut(_ => false);
        _rig.RestartAndCheck();
        Assert.Equal(1, _rig.Acknowledged);
    }

    [Fact]
    public void A_journal_of_another_store_is_refused_with_a_readable_reason()
    {
        _rig.Write(Records.Of(A, Records.Entry(A, 1, 1, 10)));
        JournalRefusedException refused = Assert.Throws<JournalRefusedException>(() => JournalRecovery.Open(
            _rig.Disk, JournalRig.Small, new StoreId(77), new JournalModel(), _rig.Queue, _rig));
        Assert.Contains("belongs to store", refused.Message);
    }

    [Fact]
    public void Entries_that_leave_a_gap_are_a_bug_found_at_once()
    {
        _rig.Write(Records.Of(A, Records.Entry(A, 1, 1, 10)));
        Assert.Throws<InvariantViolationException>(() => _rig.Journal.Append(Records.Of(A, Records.Entry(A, 3, 1, 10))));
        Assert.Throws<InvariantViolationException>(() => _rig.Journal.Append(Records.Of(B, Records.Entry(A, 1, 1, 10))));
    }
}
