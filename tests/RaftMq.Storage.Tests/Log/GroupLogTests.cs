using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Tests.Log;

public class GroupLogTests
{
    [Fact]
    public void A_full_disk_pauses_the_writer_and_it_goes_on_by_itself_when_there_is_room()
    {
        // D-14
        LogHarness harness = Filled(20);
        harness.Disk.CapacityBytesMax = 100;
        harness.Release(harness.Journal.Count);
        harness.StepDisk(DiskLane.Background);
        Assert.True(harness.Log.NoRoom);
        Assert.Equal(LogIndex.Zero, harness.Log.SyncedUpTo);
        harness.ReadConsumer(0, 1000);

        harness.Disk.CapacityBytesMax = long.MaxValue;
        harness.Settle();
        Assert.False(harness.Log.NoRoom);
        Assert.Equal(harness.Log.LastIndex, harness.Log.SyncedUpTo);
        harness.CrashAndRecover(power: true, 0);
        Assert.Equal(new LogIndex(20), harness.Log.LastIndex);
    }

    [Fact]
    public void A_full_disk_is_over_for_a_log_that_lacked_room_for_a_checkpoint_only()
    {
        LogHarness harness = Filled(20);
        harness.Release(harness.Journal.Count);
        harness.Settle();
        Assert.False(harness.Log.NoRoom);
        harness.Disk.CapacityBytesMax = 100;
        Assert.True(harness.WriteNewest());
        harness.StepDisk(DiskLane.Background);
        Assert.True(harness.Log.NoRoom);

        harness.Disk.CapacityBytesMax = long.MaxValue;
        harness.Log.Pump();
        harness.Settle();
        Assert.False(harness.Log.NoRoom);
        Assert.False(harness.Log.HasWork);
    }

    [Fact]
    public void A_read_is_not_seen_as_done_before_it_comes_back_into_the_section()
    {
        // The disk's thread may be through before the section that asked has looked at the answer: it would take it twice.
        LogHarness harness = Filled(10);
        harness.Release(harness.Journal.Count);
        harness.Settle();
        harness.CrashAndRecover(power: false, 0);
        LogRead read = harness.Log.ReadForFollower(new LogIndex(1), new LogIndex(10), 1000, new IgnoredAnswer());
        Assert.True(harness.Queue.Execute(DiskLane.Read));
        Assert.Equal(LogReadStatus.Pending, read.Status);
        Assert.True(harness.Queue.Complete(DiskLane.Read));
        Assert.Equal(LogReadStatus.Done, read.Status);
    }

    [Fact]
    public void Small_runs_wait_until_the_journal_wants_them()
    {
        LogHarness harness = Filled(10);
        harness.Settle();
        Assert.Equal(LogIndex.Zero, harness.Log.WrittenUpTo);
        harness.Release(harness.Journal.Count);
        harness.Settle();
        Assert.Equal(new LogIndex(10), harness.Log.WrittenUpTo);
    }

    [Fact]
    public void Runs_of_256_KiB_are_written_without_being_asked_and_wait_for_the_pacing()
    {
        LogHarness harness = new(new RandomSource(4)) { PoolBytes = 64 << 20 };
        harness.SetRoll(RollPolicy.Default);
        for (int i = 0; i < 30; i++)
        {
            harness.AppendData(10_000, 1);
            harness.StepJournal();
            harness.Commit(harness.Log.LastIndex);
            harness.Apply(1);
        }

        harness.Settle();
        Assert.InRange(harness.Log.WrittenUpTo.Value, 26, 30);
    }

    /// <summary>Found by the simulator: the entry of a new leader began a segment, and the last record was in one that could go.</summary>
    [Fact]
    public void What_came_last_does_not_go_by_size_though_an_entry_without_records_begins_the_last_segment()
    {
        LogHarness harness = new(new RandomSource(3));
        harness.SetRoll(new RollPolicy(500, 1_000_000));
        harness.Fill(20);
        harness.AppendData(600, 2);
        long before = harness.Log.Tail.NextOffset - 2;
        harness.AppendNoop();
        harness.Settle();
        harness.Commit(harness.Log.LastIndex);
        harness.Apply(2);
        harness.Release(harness.Journal.Count);
        harness.Settle();
        Assert.Equal(harness.Log.LastIndex, harness.Log.WrittenUpTo);

        Assert.Equal(before, harness.Log.RetentionStart(nowMs: 0, retentionMs: -1, retentionBytes: 0, endOffset: null));
    }

    [Fact]
    public void Uncommitted_entries_are_given_to_the_journal_again_all_of_them_and_once()
    {
        LogHarness harness = Filled(6);
        for (int i = 0; i < 4; i++)
        {
            harness.AppendData(20, 1);
            harness.StepJournal();
        }

        int before = harness.Journal.Count;
        ((IJournalOwner)harness.Store).ReleaseWanted(LogHarness.Group, new LogIndex(8));
        harness.Settle();
        List<byte[]> expected = [.. harness.Oracle];

        // One record of entries and one of the durable mark.
        Assert.Equal(before + 2, harness.Journal.Count);
        harness.Journal.Recycle(before);
        harness.CrashAndRecover(power: true, 0);
        Assert.Equal(expected, harness.Oracle);
        Assert.Equal(new LogIndex(10), harness.Log.LastIndex);
    }

    [Fact]
    public void The_newest_checkpoint_does_not_pass_a_boundary_whose_base_was_not_taken()
    {
        LogHarness harness = new(new RandomSource(2));
        harness.SetRoll(new RollPolicy(500, 1_000_000));
        for (int i = 0; i < 10; i++)
        {
            harness.AppendData(40, 2);
            harness.StepJournal();
        }

        harness.Commit(harness.Log.LastIndex);
        harness.Log.Advance(harness.Durable, harness.Committed, harness.Committed);
        LogIndex boundary = harness.Log.Tail.NextSegmentStart(new LogIndex(1))!.Value;
        Assert.True(harness.Log.WriteNewest(harness.Log.FreezeHead(harness.Committed) with { LastIndex = boundary.Previous }, 1, default, null));
        Assert.False(harness.Log.WriteNewest(harness.Log.FreezeHead(harness.Committed), 1, default, null));
    }

    [Fact]
    public void A_base_is_sent_in_pieces_and_installed_by_a_follower()
    {
        LogHarness leader = WithSnapshotToSend();
        (LogIndex index, Term term, _) = leader.Log.SnapshotToSend!.Value;
        Assert.Equal(new Term(1), leader.Log.BaseTerm);
        Assert.Equal(leader.Log.BaseIndex, index);
        Assert.True(index > LogIndex.Zero);

        LogHarness follower = new(new RandomSource(5));
        Transfer transfer = new();
        SnapshotInstall install = follower.Log.BeginInstall(index, term, transfer);
        do
        {
            Assert.True(leader.Log.ReadSnapshot(index, install.NextPosition, 50, transfer));
            leader.Queue.RunAll();
            install.Append(transfer.Position, transfer.Bytes);
            follower.Queue.RunAll();
        }
        while (install.NextPosition < transfer.TotalBytes);

        install.Finish();
        while (follower.StepDisk(DiskLane.Background) || follower.Journal.Step())
        {
        }

        Assert.Null(transfer.Failure);
        Assert.Equal(index, transfer.Checkpoint!.Head.LastIndex);
        Assert.Equal(index, follower.Log.LastIndex);
        Assert.Equal(leader.OffsetBehind(index), follower.Log.NextOffset);
        Assert.Equal(follower.Log.NextOffset, follower.Log.LogStartOffset);
        Assert.Equal((index, term), (follower.Log.SnapshotToSend!.Value.Index, follower.Log.SnapshotToSend!.Value.Term));
    }

    /// <summary>A start that found one that is later took it for lost.</summary>
    [Fact]
    public void No_base_is_written_before_an_earlier_one_that_found_no_room()
    {
        LogIndex[] all = BasesAfterStepsWithoutRoom(0, static _ => { });
        Assert.True(all.Length > 2);
        for (int steps = 1; steps < 12; steps++)
        {
            Assert.Equal(all, BasesAfterStepsWithoutRoom(steps, bases => Assert.Equal(all.Take(bases.Length), bases)));
        }
    }

    /// <summary>It was given up once, and neither retention nor the newest checkpoint got past its segment before the next start.</summary>
    [Fact]
    public void A_base_that_finds_no_room_is_written_once_there_is_some_and_the_newest_checkpoint_waits_for_it()
    {
        LogHarness harness = Filled(12);
        harness.Disk.CapacityBytesMax = harness.Disk.UsedBytes;
        while (harness.StepDisk(DiskLane.Background))
        {
        }

        Assert.True(harness.Log.NoRoom);
        harness.Disk.CapacityBytesMax += 400;
        Assert.True(harness.WriteNewest());
        Assert.True(harness.WriteNewest());
        Assert.True(harness.WriteNewest());
        Assert.Equal(LogIndex.Zero, harness.Log.CheckpointedUpTo);

        harness.Disk.CapacityBytesMax = long.MaxValue;
        harness.Log.Pump();
        harness.Release(harness.Journal.Count);
        harness.Settle();
        Assert.False(harness.Log.NoRoom);
        Assert.Equal(harness.Applied, harness.Log.CheckpointedUpTo);
        harness.Cut(harness.OffsetBehind(new LogIndex(9)));
        harness.Settle();
        Assert.NotNull(harness.Log.SnapshotToSend);
    }

    [Fact]
    public void A_snapshot_that_finds_no_room_for_its_name_fails_and_leaves_the_old_log()
    {
        LogHarness leader = WithSnapshotToSend();
        (LogIndex index, Term term, _) = leader.Log.SnapshotToSend!.Value;
        Transfer transfer = Read(leader, index);
        LogHarness follower = Filled(2);
        SnapshotInstall install = follower.Log.BeginInstall(index, term, transfer);
        install.Append(0, transfer.Bytes);
        follower.StepDisk(DiskLane.Background);
        FillNames(follower);
        install.Finish();
        follower.StepDisk(DiskLane.Background);
        Assert.Equal("there is no room for its name", transfer.Failure);
        Assert.Equal(new LogIndex(2), follower.Log.LastIndex);
    }

    [Fact]
    public void An_installed_base_that_finds_no_room_for_its_name_is_named_once_there_is_some()
    {
        LogHarness leader = WithSnapshotToSend();
        (LogIndex index, Term term, _) = leader.Log.SnapshotToSend!.Value;
        Transfer transfer = Read(leader, index);
        LogHarness follower = new(new RandomSource(5));
        SnapshotInstall install = follower.Log.BeginInstall(index, term, transfer);
        install.Append(0, transfer.Bytes);
        install.Finish();
        follower.StepDisk(DiskLane.Background);
        follower.StepDisk(DiskLane.Background);
        FillNames(follower);
        while (follower.Journal.Step() || follower.StepDisk(DiskLane.Background))
        {
        }

        Assert.Equal(index, follower.Log.LastIndex);
        Assert.True(follower.Log.NoRoom);
        Assert.Null(follower.Log.SnapshotToSend);

        follower.Disk.CapacityBytesMax = long.MaxValue;
        follower.Log.Pump();
        while (follower.Journal.Step() || follower.StepDisk(DiskLane.Background))
        {
        }

        Assert.Equal(index, follower.Log.SnapshotToSend!.Value.Index);
        Assert.False(follower.Log.NoRoom);
    }

    private static void FillNames(LogHarness harness)
    {
        harness.Disk.CapacityBytesMax = harness.Disk.UsedBytes;
        harness.Disk.NameWithoutRoomOneIn = 1;
    }

    /// <summary>Simulator, seed 179527070341302732: behind the reset they were entries of the new log, below its beginning.</summary>
    [Fact]
    public void Entries_of_the_old_log_are_not_given_to_the_journal_behind_the_reset_of_a_snapshot()
    {
        LogHarness leader = WithSnapshotToSend();
        (LogIndex index, Term term, _) = leader.Log.SnapshotToSend!.Value;
        Transfer transfer = Read(leader, index);

        // Entry 3 is not committed here when the snapshot comes.
        LogHarness follower = Filled(2);
        follower.AppendData(40, 2);
        follower.StepJournal();
        SnapshotInstall install = follower.Log.BeginInstall(index, term, transfer);
        install.Append(0, transfer.Bytes);
        install.Finish();
        while (follower.StepDisk(DiskLane.Background))
        {
        }

        Assert.Contains($"r({index}", follower.Journal.ToString(), StringComparison.Ordinal);
        follower.Log.ReleaseUpTo(new LogIndex(3));
        string records = follower.Journal.ToString();
        Assert.DoesNotContain("[3..3", records[records.LastIndexOf("r(", StringComparison.Ordinal)..], StringComparison.Ordinal);
        while (follower.StepDisk(DiskLane.Background) || follower.Journal.Step())
        {
        }

        Assert.Null(transfer.Failure);
        Assert.Equal(index, follower.Log.LastIndex);
    }

    [Fact]
    public void A_snapshot_with_a_wrong_byte_fails_and_leaves_the_old_log()
    {
        LogHarness leader = WithSnapshotToSend();
        (LogIndex index, Term term, _) = leader.Log.SnapshotToSend!.Value;
        Transfer transfer = Read(leader, index);
        for (int at = 0; at < transfer.Bytes.Length; at += 7)
        {
            LogHarness follower = Filled(2);
            byte[] bytes = transfer.Bytes.ToArray();
            bytes[at] ^= 1;
            SnapshotInstall install = follower.Log.BeginInstall(index, term, transfer);
            install.Append(0, bytes);
            install.Finish();
            follower.Settle();
            Assert.NotNull(transfer.Failure);
            Assert.Null(transfer.Checkpoint);
            Assert.Equal(new LogIndex(2), follower.Log.LastIndex);
            transfer.Failure = null;
        }
    }

    [Fact]
    public void A_file_that_is_being_read_stays_until_the_read_is_done()
    {
        LogHarness harness = new(new RandomSource(6)) { PoolBytes = 1 };
        Fill(harness, 12);
        harness.Release(harness.Journal.Count);
        while (harness.StepDisk(DiskLane.Background) || harness.Journal.Step())
        {
        }

        harness.CrashAndRecover(power: false, 0);
        string[] before = [.. harness.Disk.List(harness.Log.Folder)];
        harness.ReadFollower(new LogIndex(1), 100);
        harness.Cut(harness.OffsetBehind(new LogIndex(9)));
        while (harness.StepDisk(DiskLane.Background))
        {
        }

        string first = before.First(name => name.EndsWith(".log", StringComparison.Ordinal));
        Assert.Contains(first, harness.Disk.List(harness.Log.Folder));
        int checkedReads = harness.ReadsChecked;
        harness.StepDisk(DiskLane.Read);
        Assert.Equal(checkedReads + 1, harness.ReadsChecked);
        harness.Settle();
        Assert.DoesNotContain(first, harness.Disk.List(harness.Log.Folder));
    }

    /// <summary>A leader whose log was cut: a follower that is far behind needs its base.</summary>
    private static LogHarness WithSnapshotToSend()
    {
        LogHarness leader = Filled(12);
        leader.Release(leader.Journal.Count);
        leader.Settle();
        leader.Cut(leader.OffsetBehind(new LogIndex(9)));
        leader.Settle();
        return leader;
    }

    /// <summary>The whole base in one piece.</summary>
    private static Transfer Read(LogHarness leader, LogIndex index)
    {
        Transfer transfer = new();
        leader.Log.ReadSnapshot(index, 0, 1 << 20, transfer);
        leader.Queue.RunAll();
        return transfer;
    }

    /// <param name="look">Is shown those that are there, after each step.</param>
    private static LogIndex[] BasesAfterStepsWithoutRoom(int steps, Action<LogIndex[]> look)
    {
        LogHarness harness = Filled(12);
        harness.Disk.CapacityBytesMax = harness.Disk.UsedBytes;
        for (int step = 0; step < steps; step++)
        {
            _ = harness.StepDisk(DiskLane.Background);
        }

        harness.Disk.CapacityBytesMax = long.MaxValue;
        LogIndex[] bases;
        do
        {
            harness.Log.Pump();
            bases = [.. harness.Disk.List(harness.Log.Folder)
                .Select(static name => CheckpointFile.TryParse(name, CheckpointKind.Base, out LogIndex index) ? index : LogIndex.Zero)
                .Where(static index => index > LogIndex.Zero).Order()];
            look(bases);
            harness.StepJournal();
        }
        while (harness.StepDisk(DiskLane.Background) || harness.Journal.DurableCount < harness.Journal.Count);

        return bases;
    }

    private static LogHarness Filled(int entries)
    {
        LogHarness harness = new(new RandomSource(2));
        Fill(harness, entries);
        return harness;
    }

    private static void Fill(LogHarness harness, int entries)
    {
        harness.SetRoll(new RollPolicy(500, 1_000_000));
        for (int i = 0; i < entries; i++)
        {
            harness.AppendData(40, 2);
            harness.StepJournal();
            harness.Commit(harness.Log.LastIndex);
            harness.Apply(1);
        }
    }

    private sealed class Transfer : ISnapshotChunkWaiter, ISnapshotInstallOwner
    {
        public long Position { get; private set; }

        public ReadOnlyMemory<byte> Bytes { get; private set; }

        public long TotalBytes { get; private set; }

        public Checkpoint? Checkpoint { get; private set; }

        public string? Failure { get; set; }

        public void SnapshotChunkRead(long position, ReadOnlyMemory<byte> bytes, long totalBytes) =>
            (Position, Bytes, TotalBytes) = (position, bytes, totalBytes);

        public void ChunkTaken(long nextPosition)
        {
        }

        public void Installed(Checkpoint checkpoint) => Checkpoint = checkpoint;

        public void InstallFailed(string reason) => Failure = reason;
    }

    private sealed class IgnoredAnswer : ILogReadWaiter
    {
        public void ReadDone(LogRead read)
        {
        }
    }
}
