using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>
/// Files that somebody or something took away. A group whose durable entries went with one does not start, and says so; a group that starts has
/// every entry that it had (DETECTED).
/// </summary>
public sealed class LostFileTests
{
    [Fact]
    public void A_lost_segment_is_found_at_start_whichever_it_is()
    {
        LogHarness harness = CutLog();
        string[] segments = [.. Segments(harness.Disk, harness)];
        Assert.True(segments.Length > 3);
        foreach (string lost in segments)
        {
            SimulatedDisk disk = harness.Disk.Clone(new RandomSource(1));
            disk.DeleteFile($"{harness.Log.Folder}/{lost}");
            RecoveredGroup.Damaged damaged = Assert.IsType<RecoveredGroup.Damaged>(SmallLog.Recover(disk, harness, out _));

            // The name is said where the report is told; it says what is wrong, and no more.
            Assert.DoesNotContain("roup", damaged.Report.Replace("groups/", "", StringComparison.Ordinal));
            Assert.False(damaged.Report.EndsWith('.'), damaged.Report);
        }
    }

    [Fact]
    public void The_report_of_a_lost_first_segment_says_which_entries_are_missing_and_the_rest_is_left_alone()
    {
        LogHarness harness = CutLog();
        string[] segments = [.. Segments(harness.Disk, harness)];
        SimulatedDisk disk = harness.Disk.Clone(new RandomSource(1));
        disk.DeleteFile($"{harness.Log.Folder}/{segments[0]}");
        IReadOnlyList<string> left = disk.List(harness.Log.Folder);
        long operations = disk.Operations;
        RecoveredGroup.Damaged damaged = Assert.IsType<RecoveredGroup.Damaged>(SmallLog.Recover(disk, harness, out _));
        long next = long.Parse(segments[1][..20], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains($"the log starts at entry {harness.Log.FirstIndex}, but the first entry in a segment is {next}", damaged.Report);

        // And leaves what there is as it is, but for the syncs of its names.
        Assert.Equal(left, disk.List(harness.Log.Folder));
        Assert.Equal(2, disk.Operations - operations);
    }

    [Fact]
    public void Several_lost_segments_are_found_and_all_of_them_too_where_a_base_stands_behind_the_last()
    {
        LogHarness harness = CutLog();
        string[] segments = [.. Segments(harness.Disk, harness)];
        for (int count = 2; count <= segments.Length; count++)
        {
            SimulatedDisk disk = harness.Disk.Clone(new RandomSource(1));
            foreach (string lost in segments[..count])
            {
                disk.DeleteFile($"{harness.Log.Folder}/{lost}");
            }

            Assert.IsType<RecoveredGroup.Damaged>(SmallLog.Recover(disk, harness, out _));
        }

        // A checkpoint of the last entry must not pass for the beginning of a log without segments.
        SimulatedDisk empty = harness.Disk.Clone(new RandomSource(1));
        string newest = empty.List(harness.Log.Folder).Single(name => name.StartsWith("newest-", StringComparison.Ordinal));
        Assert.Contains($"{harness.Log.LastIndex}.", newest, StringComparison.Ordinal);
        foreach (string lost in segments)
        {
            empty.DeleteFile($"{harness.Log.Folder}/{lost}");
        }

        empty.Rename($"{harness.Log.Folder}/{newest}", $"{harness.Log.Folder}/base-{newest["newest-".Length..]}");
        Assert.IsType<RecoveredGroup.Damaged>(SmallLog.Recover(empty, harness, out _));
    }

    [Fact]
    public void A_log_that_a_snapshot_began_knows_its_first_segment_too()
    {
        LogHarness harness = CutLog();
        harness.BeginInstall(5);
        harness.Settle();
        harness.SetRoll(new RollPolicy(500, 1_000_000));
        harness.Fill(8);
        string[] segments = [.. Segments(harness.Disk, harness)];
        Assert.True(segments.Length > 2);
        foreach (string lost in segments)
        {
            SimulatedDisk disk = harness.Disk.Clone(new RandomSource(1));
            disk.DeleteFile($"{harness.Log.Folder}/{lost}");
            Assert.IsType<RecoveredGroup.Damaged>(SmallLog.Recover(disk, harness, out _));
        }
    }

    [Fact]
    public void Bases_that_are_doubted_go_and_a_start_misses_them()
    {
        LogHarness harness = CutLog();
        string own = $"base-{harness.Log.BaseIndex.Value:d20}.checkpoint";
        Assert.True(BaseFiles(harness).Length > 2);
        Assert.Contains(own, BaseFiles(harness));

        harness.Log.DoubtBases();
        harness.Settle();
        Assert.Equal([own], BaseFiles(harness));
        Assert.True(harness.Log.IsDamaged);
        RecoveredGroup.Healthy found = Assert.IsType<RecoveredGroup.Healthy>(SmallLog.Recover(harness.Disk.Clone(new RandomSource(1)), harness, out _));
        Assert.True(found.Log.IsDamaged);
        Assert.Equal(harness.Log.LastIndex, found.Log.LastIndex);
    }

    private static string[] BaseFiles(LogHarness harness) =>
        [.. harness.Disk.List(harness.Log.Folder).Where(static name => name.StartsWith("base-", StringComparison.Ordinal))];

    [Fact]
    public void No_file_below_the_new_beginning_goes_before_the_journal_says_where_it_is()
    {
        LogHarness harness = SmallLog.Of(entries: 18);
        string[] before = [.. Segments(harness.Disk, harness)];
        harness.Cut(harness.OffsetBehind(new LogIndex(8)));
        while (harness.StepDisk(DiskLane.Background))
        {
        }

        Assert.Equal(before, Segments(harness.Disk, harness));
        Assert.True(harness.Log.HasWork);
        harness.Settle();
        Assert.True(Segments(harness.Disk, harness).Count() < before.Length);
        Assert.False(harness.Log.HasWork);
    }

    /// <summary>
    /// A life with retention and an install that dies at any operation of the disk, and then any one segment is lost: either the group does
    /// not start, or the journal had all of the file still and nothing is missing.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_segment_lost_after_a_crash_at_any_operation_is_found_or_made_good(bool power)
    {
        int found = 0, madeGood = 0;
        int crashes = LogHarness.CrashAtEveryOperation(seedStep: 17, Live, (harness, operation) =>
        {
            harness.Journal.Crash(harness.Random);
            harness.Die(power);
            foreach (string lost in Segments(harness.Disk, harness).ToArray())
            {
                SimulatedDisk disk = harness.Disk.Clone(new RandomSource(1));
                disk.DeleteFile($"{harness.Log.Folder}/{lost}");
                if (SmallLog.Recover(disk, harness, out SteppedDiskQueue queue) is RecoveredGroup.Healthy healthy)
                {
                    madeGood++;
                    RequireWhole(harness, healthy, queue, $"operation {operation}, {lost}");
                }
                else
                {
                    found++;
                }
            }
        });

        Assert.True(crashes > 60, $"{crashes} operations");
        Assert.True(found > crashes, $"{found} found");
        Assert.True(madeGood > 10, $"{madeGood} made good");
    }

    private static void RequireWhole(LogHarness harness, RecoveredGroup.Healthy healthy, SteppedDiskQueue queue, string what)
    {
        Assert.True(healthy.Log.BaseIndex <= LogIndex.Max(harness.CutBase, harness.Log.BaseIndex), what);
        Assert.True(harness.Journal.Shadow.Count == healthy.Log.LastIndex.Value, what);
        for (LogIndex index = healthy.Log.FirstIndex; index <= healthy.Log.LastIndex; index = index.Next)
        {
            LogRead read = healthy.Log.ReadForFollower(index, index, 1, harness);
            queue.RunAll();
            Assert.True(read.Status == LogReadStatus.Done, what);
            Assert.True(harness.Journal.Shadow[(int)index.Value - 1].AsSpan().SequenceEqual(Assert.Single(read.Entries).Bytes.Span), what);
        }
    }

    private static void Live(LogHarness harness)
    {
        for (int round = 0; round < 2; round++)
        {
            harness.Run(8);
            harness.Settle();
            harness.Cut(harness.OffsetBehind(harness.Applied) * 2 / 3);
            harness.StepJournal();
            harness.Settle();
            harness.Release(Math.Max(1, harness.Journal.Count / 2));
            harness.Settle();
            harness.WriteNewest();
            harness.Settle();
        }

        harness.BeginInstall(3);
        harness.Settle();
        harness.Fill(6);
    }

    private static LogHarness CutLog() => SmallLog.CutAt(new LogIndex(8), entries: 18);

    private static IEnumerable<string> Segments(SimulatedDisk disk, LogHarness harness) =>
        disk.List(harness.Log.Folder).Where(name => name.EndsWith(".log", StringComparison.Ordinal));
}
