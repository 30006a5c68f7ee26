using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>One life with a run, a roll, bases, a sync, retention and an install, crashed at every operation of the disk (D-15, D-17, R-10).</summary>
public class CrashPointTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_crash_at_every_disk_operation_leaves_one_side_or_the_other(bool power)
    {
        int crashes = LogHarness.CrashAtEveryOperation(seedStep: 31, Live, (harness, operation) =>
        {
            harness.CrashAndRecover(power, crashesInRecovery: operation % 3);
            Assert.True(
                harness.Found is RecoveredGroup.Healthy, $"operation {operation}: {(harness.Found as RecoveredGroup.Damaged)?.Report}");

            // And it lives on.
            harness.Disk.CancelCrash();
            Live(harness);
        });

        Assert.True(crashes > 60, $"{crashes} operations");
    }

    /// <summary>
    /// After a failed fsync the page cache still shows what never reached the disk, and the next fsync says that all is well (D-12). The
    /// process ends at the failure and starts again over that cache; a power cut later must find everything all the same.
    /// </summary>
    [Fact]
    public void A_failed_sync_that_the_next_life_cannot_see_loses_nothing()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            LogHarness harness = new(new RandomSource(seed));
            harness.SetRoll(new RollPolicy(1_000_000, 1_000_000));
            harness.Run(40);
            harness.Disk.Arm(SimulatedDiskFault.SyncFails);
            Assert.Throws<DiskFaultException>(() => ReleaseAll(harness));
            harness.CrashAndRecover(power: false, crashesInRecovery: 0);
            Assert.IsType<RecoveredGroup.Healthy>(harness.Found);
            harness.Apply(long.MaxValue);
            ReleaseAll(harness);
            harness.CrashAndRecover(power: true, crashesInRecovery: 0);
            Assert.True(harness.Found is RecoveredGroup.Healthy, $"seed {seed}: {(harness.Found as RecoveredGroup.Damaged)?.Report}");
        }
    }

    private static void ReleaseAll(LogHarness harness)
    {
        harness.Release(harness.Journal.Count);
        harness.Settle();
    }

    private static void Live(LogHarness harness)
    {
        harness.Run(10);
        harness.Settle();
        harness.Release(Math.Max(1, harness.Journal.Count / 2));
        harness.Settle();
        harness.WriteNewest();
        harness.Settle();
        if (harness.OffsetBehind(harness.Applied) is var end && end > harness.Log.LogStartOffset)
        {
            harness.Cut(harness.Log.LogStartOffset + ((end - harness.Log.LogStartOffset) / 2));
        }

        harness.Settle();
        harness.Apply(long.MaxValue);
        harness.BeginInstall(3);
        harness.Settle();
        harness.AppendData(10, 1);
        harness.Settle();
        harness.Commit(harness.Log.LastIndex);
        harness.Apply(long.MaxValue);
        harness.Release(Math.Max(1, harness.Journal.Count));
        harness.Settle();
        harness.ReadFollower(harness.Log.FirstIndex, 5000);
        harness.Settle();
    }
}
