using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Log;

/// <summary>A log of a few short segments in which everything is durable, of whose disk tests spoil copies.</summary>
internal static class SmallLog
{
    public static LogHarness Of(int entries)
    {
        LogHarness harness = new(new RandomSource(77));
        harness.SetRoll(new RollPolicy(500, 1_000_000));
        harness.Fill(entries);
        return harness;
    }

    /// <summary>Cut once, several segments, indexes, both kinds of checkpoint, the newest one of the last entry.</summary>
    public static LogHarness CutAt(LogIndex index, int entries)
    {
        LogHarness harness = Of(entries);
        harness.Cut(harness.OffsetBehind(index));
        harness.Settle();
        Assert.True(harness.Log.BaseIndex > LogIndex.Zero);
        Assert.True(harness.WriteNewest());
        harness.Settle();
        harness.Release(harness.Journal.Count);
        Assert.Equal(harness.Log.LastIndex, harness.Log.SyncedUpTo);
        return harness;
    }

    /// <summary>What a start finds on a disk beside the harness's own, with its journal.</summary>
    public static RecoveredGroup Recover(SimulatedDisk disk, LogHarness harness, out SteppedDiskQueue queue)
    {
        GroupLogEnvironment environment = EnvironmentOf(disk, harness.Journal, out queue);
        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        harness.Journal.Replay(LogHarness.Group, store);
        return Assert.Single(store.Finish((_, _) => environment));
    }

    public static GroupLogEnvironment EnvironmentOf(SimulatedDisk disk, FakeJournal journal, out SteppedDiskQueue queue)
    {
        queue = new SteppedDiskQueue(disk);
        return new GroupLogEnvironment(queue, journal, new TailPool());
    }
}
