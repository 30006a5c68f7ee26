using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Repair;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>
/// Cuts, tears and flips every byte of every file of a small group. The outcome is always the same log, or a typed "damaged"; never a
/// wrong entry (D-04, D-05, D-06).
/// </summary>
public class DamageTests
{
    private enum Outcome
    {
        Same,
        DamagedAtStart,
        DamagedAtRead,
    }

    [Fact]
    public void A_flipped_byte_anywhere_gives_the_same_log_or_a_typed_answer()
    {
        LogHarness original = Settled();
        Dictionary<string, HashSet<Outcome>> seen = [];
        foreach (string name in original.Disk.List(original.Log.Folder))
        {
            string path = $"{original.Log.Folder}/{name}";
            long length = LengthOf(original.Disk, path);
            string kind = name[(name.LastIndexOf('.') + 1)..];
            seen.TryAdd(kind, []);
            for (long at = 0; at < length; at++)
            {
                SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
                disk.Decay(path, at, (byte)(1 << (int)(at % 8)));
                seen[kind].Add(Judge(disk, original, $"{name} flipped at {at}"));
            }
        }

        // Each kind of file was there, and damage to it was found or made good.
        Assert.Contains(Outcome.DamagedAtStart, seen["log"]);
        Assert.Contains(Outcome.DamagedAtRead, seen["log"]);
        Assert.DoesNotContain(Outcome.Same, seen["log"]);
        Assert.Equal([Outcome.Same], seen["index"]);
        Assert.Equal([Outcome.Same], seen["checkpoint"]);
        Assert.Equal([Outcome.DamagedAtStart], seen["meta"]);
    }

    [Fact]
    public void A_file_cut_at_any_length_gives_the_same_log_or_a_typed_answer()
    {
        LogHarness original = Settled();
        foreach (string name in original.Disk.List(original.Log.Folder))
        {
            string path = $"{original.Log.Folder}/{name}";
            for (long length = LengthOf(original.Disk, path) - 1; length >= 0; length--)
            {
                SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
                using (IDiskFile file = disk.Open(path, DiskFileMode.Existing))
                {
                    file.SetLength(length);
                    file.Sync();
                }

                Outcome outcome = Judge(disk, original, $"{name} cut to {length}");
                if (name.EndsWith(".log", StringComparison.Ordinal))
                {
                    Assert.NotEqual(Outcome.Same, outcome);
                }
            }
        }
    }

    /// <summary>Whole by their checksums, and not what comes next: a bug somewhere, or damage around which all sums were mended.</summary>
    [Theory]
    [InlineData(0, 1, false, false)]
    [InlineData(0, -1, false, false)]
    [InlineData(-1, 0, false, false)]
    [InlineData(0, 1, true, false)]
    [InlineData(-1, 0, true, false)]
    [InlineData(0, 1, true, true)]
    [InlineData(-1, 0, true, true)]
    public void Entries_of_the_journal_that_do_not_follow_keep_the_group_out_and_not_the_node(
        int termsMore, int offsetsMore, bool isCommitted, bool startsSegment)
    {
        LogHarness harness = Settled();
        EntryHeader last = EntryLayout.ReadUnchecked(harness.Oracle[^1]);
        byte[] payload = new byte[10];
        byte[] bytes = new byte[EntryLayout.HeaderBytes + payload.Length];
        EntryLayout.WriteHeader(bytes, new EntryHeader(
            bytes.Length, EntryKind.FirstOfStateMachine, startsSegment ? EntryFlags.StartsSegment : EntryFlags.None,
            new Term(last.Term.Value + termsMore), last.Index.Next, last.NextOffset + offsetsMore, 0, payload.Length, 0, LogHarness.Group));
        harness.Journal.Append(new JournalRecord
        {
            Group = LogHarness.Group,
            Entries = [new Entry(last.Index.Next, new Term(last.Term.Value + termsMore), EntryKind.FirstOfStateMachine, bytes)],
            Commit = isCommitted ? last.Index.Next : last.Index,
        });
        Assert.True(harness.Journal.Step());

        SimulatedDisk disk = harness.Disk.Clone(new RandomSource(1));
        RecoveredGroup.Damaged damaged = Assert.IsType<RecoveredGroup.Damaged>(SmallLog.Recover(disk, harness, out _));
        Assert.Contains($"entry {last.Index.Next} in the journal does not follow", damaged.Report);
    }

    [Fact]
    public void A_damaged_newest_checkpoint_goes_and_an_older_whole_one_is_used()
    {
        LogHarness original = Settled();
        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        string newest = disk.List(original.Log.Folder).Single(name => name.StartsWith("newest-", StringComparison.Ordinal));
        disk.Decay($"{original.Log.Folder}/{newest}", 30, 1);
        RecoveredGroup.Healthy found = Assert.IsType<RecoveredGroup.Healthy>(SmallLog.Recover(disk, original, out _));
        Assert.True(found.Checkpoint!.Head.LastIndex < original.Applied);
        Assert.DoesNotContain(newest, disk.List(original.Log.Folder));
    }

    [Fact]
    public void A_whole_checkpoint_under_the_name_of_another_is_damaged()
    {
        LogHarness original = Settled();
        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        string[] checkpoints = [.. disk.List(original.Log.Folder).Where(name => name.EndsWith(".checkpoint", StringComparison.Ordinal))];
        string newest = checkpoints.Single(name => name.StartsWith("newest-", StringComparison.Ordinal));
        string[] bases = [.. checkpoints.Where(name => name.StartsWith("base-", StringComparison.Ordinal))];
        byte[] other = BytesOf(disk, $"{original.Log.Folder}/{bases[0]}");
        foreach (string spoilt in (string[])[newest, bases[^1]])
        {
            using IDiskFile file = disk.Open($"{original.Log.Folder}/{spoilt}", DiskFileMode.Existing);
            file.SetLength(0);
            file.Write(0, other);
            file.Sync();
        }

        RecoveredGroup.Healthy found = Assert.IsType<RecoveredGroup.Healthy>(SmallLog.Recover(disk, original, out _));
        Assert.EndsWith($"{found.Checkpoint!.Head.LastIndex}.checkpoint", bases[^2], StringComparison.Ordinal);
        Assert.DoesNotContain(newest, disk.List(original.Log.Folder));
        Assert.True(found.Log.IsDamaged);
        Assert.Contains(bases[^1], found.Log.BeginRepair()!.What, StringComparison.Ordinal);
    }

    /// <summary>Nobody would look at them again, and the log comes there once more.</summary>
    [Fact]
    public void Checkpoints_above_the_end_of_a_log_that_the_journal_cut_go()
    {
        LogHarness original = SmallLog.Of(entries: 10);
        LogIndex inSegments = original.Log.SyncedUpTo;
        original.Run(entries: 20);
        original.WriteNewest();
        while (original.StepDisk(DiskLane.Background))
        {
        }

        Assert.Equal(inSegments, original.Log.SyncedUpTo);
        string[] above = [.. Checkpoints(original.Disk, original).Where(found => found.Index > inSegments).Select(found => found.Name)];
        Assert.Contains(above, name => name.StartsWith("newest-", StringComparison.Ordinal));
        Assert.Contains(above, name => name.StartsWith("base-", StringComparison.Ordinal));

        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        disk.Decay($"{original.Log.Folder}/{above[^1]}", 40, 4);
        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        IJournalReplay replay = store;
        replay.SegmentsDurable(LogHarness.Group, inSegments);
        replay.Damaged(
            LogHarness.Group, inSegments.Next, JournalDamage.Of(new LogPosition(original.Term, original.Log.LastIndex), hardStateLost: false, 0), "lost");
        RecoveredGroup.Healthy found = Assert.IsType<RecoveredGroup.Healthy>(
            Assert.Single(store.Finish((_, _) => SmallLog.EnvironmentOf(disk, original.Journal, out _))));
        Assert.Equal(inSegments, found.Log.LastIndex);
        Assert.DoesNotContain(Checkpoints(disk, original), left => left.Index > inSegments);
    }

    /// <summary>A whole one above the end would be no help: the state begins below.</summary>
    [Fact]
    public void A_log_that_the_journal_cut_below_its_only_whole_checkpoint_asks_for_its_base()
    {
        LogHarness original = SmallLog.CutAt(new LogIndex(4), entries: 14);
        LogIndex inSegments = original.Log.SyncedUpTo;
        original.Run(entries: 3);
        original.WriteNewest();
        while (original.StepDisk(DiskLane.Background))
        {
        }

        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        (string Name, LogIndex Index)[] below = [.. Checkpoints(disk, original).Where(found => found.Index <= inSegments)];
        foreach ((string name, _) in below)
        {
            disk.Decay($"{original.Log.Folder}/{name}", 40, 4);
        }

        Assert.Contains(Checkpoints(disk, original), found => found.Index > inSegments);
        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        IJournalReplay replay = store;
        replay.LogBase(LogHarness.Group, original.Log.BaseIndex);
        replay.SegmentsDurable(LogHarness.Group, inSegments);
        replay.Damaged(
            LogHarness.Group, inSegments.Next, JournalDamage.Of(new LogPosition(original.Term, original.Log.LastIndex), hardStateLost: false, 0), "lost");
        GroupLogEnvironment environment = SmallLog.EnvironmentOf(disk, original.Journal, out SteppedDiskQueue queue);
        Assert.IsType<RecoveredGroup.Damaged>(Assert.Single(store.Finish((_, _) => environment)));
        GroupRepair repair = store.BeginRepair(LogHarness.Group, environment)!;
        queue.RunAll();
        Assert.False(repair.IsOver, repair.Failure);
        Assert.Equal(original.Log.BaseIndex, Assert.IsType<RepairWish.Base>(repair.Wish).Index);
    }

    [Fact]
    public void Damaged_files_are_mended_in_turn()
    {
        LogHarness original = Settled();
        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        string[] bases = [.. disk.List(original.Log.Folder).Where(name => name.StartsWith("base-", StringComparison.Ordinal))];
        foreach (string name in bases)
        {
            disk.Decay($"{original.Log.Folder}/{name}", 50, 4);
        }

        RecoveredGroup.Healthy found = Assert.IsType<RecoveredGroup.Healthy>(SmallLog.Recover(disk, original, out _));
        List<string> begun = [];
        for (int i = 0; i < bases.Length; i++)
        {
            // Nobody has it.
            GroupRepair repair = found.Log.BeginRepair()!;
            begun.Add(repair.What);
            repair.Abandon();
        }

        Assert.Equal(bases.Select(name => $"{original.Log.Folder}/{name}"), begun.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Retention_does_not_cut_to_a_segment_whose_base_is_damaged_and_it_is_not_sent()
    {
        LogHarness original = Settled();
        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        string[] bases = [.. disk.List(original.Log.Folder).Where(name => name.StartsWith("base-", StringComparison.Ordinal))];
        Assert.True(bases.Length > 2);
        foreach (string name in bases)
        {
            disk.Decay($"{original.Log.Folder}/{name}", 50, 4);
        }

        RecoveredGroup.Healthy found = Assert.IsType<RecoveredGroup.Healthy>(SmallLog.Recover(disk, original, out SteppedDiskQueue queue));
        LogIndex before = found.Log.BaseIndex;
        Assert.True(before > LogIndex.Zero);
        Assert.Null(found.Log.SnapshotToSend);
        Assert.Equal(original.HeaderOf(before).Term, found.Raft.BaseTerm);
        found.Log.CutTo(found.Log.NextOffset);
        queue.RunAll();
        Assert.Equal(before, found.Log.BaseIndex);
        Assert.All(bases, name => Assert.Contains(name, disk.List(original.Log.Folder)));
    }

    [Fact]
    public void A_log_that_was_cut_does_not_start_when_all_its_checkpoints_are_damaged()
    {
        LogHarness original = Settled();
        Assert.True(original.Log.BaseIndex > LogIndex.Zero);
        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        string[] checkpoints = [.. disk.List(original.Log.Folder).Where(name => name.EndsWith(".checkpoint", StringComparison.Ordinal))];
        foreach (string name in checkpoints)
        {
            disk.Decay($"{original.Log.Folder}/{name}", 40, 4);
        }

        Assert.IsType<RecoveredGroup.Damaged>(SmallLog.Recover(disk, original, out _));
        Assert.Equal(checkpoints, disk.List(original.Log.Folder).Where(name => name.EndsWith(".checkpoint", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_group_in_the_journal_without_a_folder_is_damage_unless_it_was_deleted()
    {
        LogHarness original = Settled();
        FakeJournal journal = original.Journal;
        SimulatedDisk disk = original.Disk.Clone(new RandomSource(1));
        disk.DeleteFolder(original.Log.Folder);
        Assert.IsType<RecoveredGroup.Damaged>(SmallLog.Recover(disk, original, out _));

        journal.Append(new RaftMq.Storage.Journal.JournalRecord { Group = LogHarness.Group, Deleted = true });
        journal.Step();
        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        journal.Replay(LogHarness.Group, store);
        Assert.Empty(store.Finish((_, _) => SmallLog.EnvironmentOf(disk, journal, out _)));
    }

    private static LogHarness Settled() => SmallLog.CutAt(new LogIndex(4), entries: 14);

    private static Outcome Judge(SimulatedDisk disk, LogHarness original, string what)
    {
        if (SmallLog.Recover(disk, original, out SteppedDiskQueue queue) is not RecoveredGroup.Healthy found)
        {
            return Outcome.DamagedAtStart;
        }

        try
        {
            LogIndex applied = found.Checkpoint?.Head.LastIndex ?? LogIndex.Zero;
            foreach (ReadOnlyMemory<byte> entry in found.Replay)
            {
                Assert.True(original.Oracle[(int)applied.Value].AsSpan().SequenceEqual(entry.Span), what);
                applied = applied.Next;
            }
        }
        catch (DamagedException)
        {
            return Outcome.DamagedAtRead;
        }

        Assert.True(original.Log.LastIndex == found.Log.LastIndex, what);
        Outcome outcome = Outcome.Same;
        DamageListener listener = new();
        found.Log.Attach(listener);
        for (LogIndex index = found.Log.FirstIndex; index <= found.Log.LastIndex; index = index.Next)
        {
            LogRead read = found.Log.ReadForFollower(index, index, 1, NoWaiter.Instance);
            queue.RunAll();
            if (read.Status == LogReadStatus.Damaged)
            {
                outcome = Outcome.DamagedAtRead;
                continue;
            }

            Assert.True(original.Oracle[(int)index.Value - 1].AsSpan().SequenceEqual(Assert.Single(read.Entries).Bytes.Span), what);
            long offset = original.HeaderOf(index).BaseOffset;
            LogRead batches = found.Log.ReadForConsumer(offset, 1, long.MaxValue, NoWaiter.Instance);
            queue.RunAll();
            Assert.True(
                offset < found.Log.LogStartOffset
                || original.Oracle[(int)index.Value - 1].AsSpan(EntryLayout.HeaderBytes).SequenceEqual(Assert.Single(batches.Batches).Span),
                what);
        }

        Assert.All(listener.Reports, report => Assert.DoesNotContain("of group", report));
        Assert.True((outcome == Outcome.DamagedAtRead) == (listener.Reports.Count > 0), $"{what}: {listener.Reports.Count} reports");
        return outcome;
    }

    private static IEnumerable<(string Name, LogIndex Index)> Checkpoints(SimulatedDisk disk, LogHarness harness)
    {
        foreach (string name in disk.List(harness.Log.Folder))
        {
            if (CheckpointFile.TryParse(name, CheckpointKind.Base, out LogIndex index)
                || CheckpointFile.TryParse(name, CheckpointKind.Newest, out index))
            {
                yield return (name, index);
            }
        }
    }

    private static byte[] BytesOf(SimulatedDisk disk, string path)
    {
        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }

    private static long LengthOf(SimulatedDisk disk, string path)
    {
        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        return file.Length;
    }

    private sealed class DamageListener : IGroupLogOwner
    {
        public List<string> Reports { get; } = [];

        public void LogCut(LogIndex baseIndex)
        {
        }

        public void LogDamaged(string report) => Reports.Add(report);
    }

    private sealed class NoWaiter : ILogReadWaiter
    {
        public static readonly NoWaiter Instance = new();

        public void ReadDone(LogRead read)
        {
        }
    }
}
