using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Testing.Seeds;

namespace RaftMq.Storage.Tests.Log;

/// <summary>Long random lives of one log against a naive oracle, with crashes of all kinds, small limits, and every operation there is.</summary>
public class GroupLogRandomTests
{
    [Fact]
    public void A_log_equals_the_oracle_through_truncations_crashes_retention_and_installs()
    {
        int reads = 0;
        int installs = 0;
        int cuts = 0;
        int crashes = 0;
        RandomRuns runs = RandomRuns.Go(shortForm: 400, longForm: 4000, seed => Live(seed, steps: 400), life =>
        {
            crashes += life.Crashes;
            reads += life.Log.ReadsChecked;
            installs += life.Log.Installed;
            cuts += life.Log.CutBase > LogIndex.Zero ? 1 : 0;
        });

        runs.MustHaveSeen(reads, 10, "reads");
        runs.MustHaveSeen(installs, 0.1, "installs");
        runs.MustHaveSeen(cuts, 0.1, "runs with retention");
        runs.MustHaveSeen(crashes, 1, "crashes");
    }

    private static (LogHarness Log, int Crashes) Live(ulong seed, int steps)
    {
        LogHarness harness = new(new RandomSource(seed));
        RandomSource random = harness.Random;
        harness.SetRoll(new RollPolicy(random.Next(400, 6000), 1_000_000));
        harness.LimitPending = random.OneIn(2) ? 500 : 1 << 20;
        harness.PoolBytes = random.Next(1, 6) * 4096;
        int crashes = 0;
        bool crashArmed = false;
        for (int step = 0; step < steps; step++)
        {
            try
            {
                Step(harness, random);
                if (!crashArmed && random.OneIn(60))
                {
                    harness.Disk.CrashAfter(random.Next(1, 15));
                    crashArmed = true;
                }
            }
            catch (SimulatedCrashException)
            {
                Recover();
            }

            if (random.OneIn(150))
            {
                Recover();
            }
        }

        harness.Disk.CancelCrash();
        harness.Settle();
        return (harness, crashes);

        void Recover()
        {
            crashes++;
            crashArmed = false;
            harness.Disk.CancelCrash();
            harness.CrashAndRecover(power: random.OneIn(2), crashesInRecovery: random.Next(3));
            Assert.True(harness.Found is RecoveredGroup.Healthy, $"{(harness.Found as RecoveredGroup.Damaged)?.Report} {harness.Journal} {string.Join(" ", harness.Disk.List(harness.Log.Folder))}");
        }
    }

    private static void Step(LogHarness harness, RandomSource random)
    {
        if (harness.IsInstalling)
        {
            // Consensus takes no entries while an install runs.
            if (!harness.StepDisk(DiskLane.Background))
            {
                harness.StepJournal();
            }

            harness.StepDisk(DiskLane.Read);
            return;
        }

        switch (random.Next(24))
        {
            case < 6:
                harness.AppendData(random.OneIn(20) ? random.Next(9000) : random.Next(300), random.Next(1, 5));
                break;
            case 6:
                if (random.OneIn(3))
                {
                    harness.AppendMembership();
                }

                break;
            case 7:
                if (random.OneIn(4))
                {
                    harness.Truncate();
                }

                break;
            case < 10:
                harness.Commit(harness.Committed + random.Next(4));
                break;
            case < 12:
                harness.Apply(random.Next(4));
                break;
            case < 14:
                harness.StepJournal();
                harness.StepJournal();
                break;
            case < 17:
                harness.StepDisk(random.OneIn(3) ? DiskLane.Read : DiskLane.Background);
                break;
            case < 20:
                harness.ReadRandomly();
                break;
            case 20:
                if (harness.Journal.DurableCount > 3)
                {
                    harness.Release(random.Next(1, harness.Journal.DurableCount));
                }

                break;
            case 21:
                if (harness.Applied > harness.Log.BaseIndex)
                {
                    harness.WriteNewest();
                }

                break;
            case 22:
                if (random.OneIn(3) && harness.Applied > harness.Log.BaseIndex)
                {
                    long start = harness.Log.LogStartOffset;
                    long end = harness.OffsetBehind(harness.Applied);
                    if (end > start)
                    {
                        harness.Cut(start + random.NextInt64(end - start));
                    }
                }

                break;
            default:
                if (random.OneIn(12))
                {
                    harness.BeginInstall(random.Next(1, 6));
                }

                break;
        }
    }
}
