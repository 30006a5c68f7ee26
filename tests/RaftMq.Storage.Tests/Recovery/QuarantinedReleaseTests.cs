using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Repair;
using RaftMq.Storage.Segments;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>A journal file is due while a group that holds entries in it waits for its repair.</summary>
public sealed class QuarantinedReleaseTests
{
    private static readonly LogHarness s_original = SmallLog.Of(entries: 14);

    private readonly SimulatedDisk _disk = s_original.Disk.Clone(new RandomSource(1));
    private readonly FakeJournal _journal = new();
    private readonly SteppedDiskQueue _queue;
    private readonly GroupLogEnvironment _environment;
    private readonly NodeStore _store;
    private readonly QuarantinedRepair _repair;

    /// <summary>The segments up to entry 2 are gone, entries 3 to 6 are in the journal.</summary>
    public QuarantinedReleaseTests()
    {
        _environment = SmallLog.EnvironmentOf(_disk, _journal, out _queue);
        _disk.DeleteFile(SegmentNames.Log(s_original.Log.Folder, new LogIndex(1)));
        _store = NodeStore.Scan(_disk, new NodeStoreLimits());
        IJournalReplay replay = _store;
        replay.SegmentsDurable(LogHarness.Group, new LogIndex(2));
        replay.Entries(LogHarness.Group, [.. s_original.Oracle.Skip(2).Take(4).Select(bytes => StoredEntry.ToEntry(bytes))]);
        replay.Commit(LogHarness.Group, new LogIndex(6));
        Assert.IsType<RecoveredGroup.Damaged>(Assert.Single(_store.Finish((_, _) => _environment)));
        _repair = _store.BeginRepair(LogHarness.Group, _environment)!;
        _queue.RunAll();
    }

    [Fact]
    public void What_segments_do_not_have_is_carried_on()
    {
        Release();
        Assert.Equal([new LogIndex(3), new LogIndex(4), new LogIndex(5), new LogIndex(6)], Carried(_journal));
    }

    /// <summary>Behind the record of a base the log's end is there: older entries would set it back, and a start that follows would not fit.</summary>
    [Fact]
    public void What_lies_below_a_base_that_the_journal_is_about_to_hear_of_is_not_carried_behind_it()
    {
        LogIndex newBase = Bases(s_original).Where(found => found > new LogIndex(6)).Min();
        Assert.True(_repair.TryBeginBehind(newBase));
        Give(s_original, newBase, _repair, _queue);
        Assert.Equal(newBase, _journal.Records[^1].LogBase);

        Release();
        Assert.Empty(Carried(_journal));
    }

    /// <summary>As above, where recovery had put entries in segments before it found that no checkpoint is whole.</summary>
    [Fact]
    public void Nor_where_recovery_came_as_far_as_the_segments()
    {
        LogHarness cut = SmallLog.CutAt(new LogIndex(4), entries: 14);
        LogIndex newBase = Bases(cut).Max();
        Assert.True(newBase > cut.Log.BaseIndex + 4);
        SimulatedDisk disk = cut.Disk.Clone(new RandomSource(1));
        foreach (string name in disk.List(cut.Log.Folder).Where(static name => name.EndsWith(".checkpoint", StringComparison.Ordinal)))
        {
            disk.Decay($"{cut.Log.Folder}/{name}", 40, 4);
        }

        FakeJournal journal = new();
        GroupLogEnvironment environment = SmallLog.EnvironmentOf(disk, journal, out SteppedDiskQueue queue);
        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        IJournalReplay replay = store;
        replay.LogBase(LogHarness.Group, cut.Log.BaseIndex);
        replay.SegmentsDurable(LogHarness.Group, new LogIndex(newBase.Value - 4));
        replay.Entries(LogHarness.Group, [.. cut.Oracle.Skip((int)newBase.Value - 4).Take(4).Select(bytes => StoredEntry.ToEntry(bytes))]);
        replay.Commit(LogHarness.Group, new LogIndex(newBase.Value - 2));
        Assert.IsType<RecoveredGroup.Damaged>(Assert.Single(store.Finish((_, _) => environment)));
        QuarantinedRepair repair = store.BeginRepair(LogHarness.Group, environment)!;
        queue.RunAll();
        Assert.True(repair.TryBeginBehind(newBase), repair.Failure);
        Give(cut, newBase, repair, queue);

        Assert.Equal(newBase, journal.Records[^1].LogBase);
        Assert.True(store.ReleaseQuarantined(LogHarness.Group, environment, carriedBytesMax: 1 << 20));
        queue.RunAll();
        Assert.Empty(Carried(journal));
        Assert.All(journal.Records.Skip(1), record => Assert.True(record.SegmentsDurable is null || record.SegmentsDurable >= newBase));
    }

    private static IEnumerable<LogIndex> Bases(LogHarness log) => log.Disk.List(log.Log.Folder)
        .Where(name => name.StartsWith("base-", StringComparison.Ordinal))
        .Select(name => new LogIndex(long.Parse(name[5..^11], System.Globalization.CultureInfo.InvariantCulture)));

    private void Release() => Assert.True(_store.ReleaseQuarantined(LogHarness.Group, _environment, carriedBytesMax: 1 << 20));

    private static IEnumerable<LogIndex> Carried(FakeJournal journal) => journal.Records.SelectMany(record => record.Entries).Select(entry => entry.Index);

    private static void Give(LogHarness from, LogIndex index, QuarantinedRepair repair, SteppedDiskQueue queue)
    {
        using (IDiskFile file = from.Disk.Open(CheckpointFile.Path(from.Log.Folder, CheckpointKind.Base, index), DiskFileMode.Existing))
        {
            byte[] bytes = new byte[file.Length];
            file.Read(0, bytes);
            Assert.True(repair.BaseCame(0, bytes, bytes.Length));
        }

        queue.RunAll();
    }
}
