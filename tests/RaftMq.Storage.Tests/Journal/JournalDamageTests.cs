using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;
using RaftMq.Testing;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>
/// Cuts, tears and flips small journals everywhere. The outcome is always one of: the same entries; a shorter tail that was never
/// acknowledged; a typed answer "damaged". Never a wrong entry.
/// </summary>
public sealed class JournalDamageTests
{
    private const int Block = 4096;
    private static readonly GroupId A = Records.Group(1), B = Records.Group(2);

    [Fact]
    public void One_flipped_byte_anywhere_is_mended()
    {
        JournalRig rig = SealedJournal();
        string file = NewestFile(rig);
        int step = LongForm.IsOn ? 1 : 61;
        for (long position = 0; position < UsedBytes(rig, file); position += step)
        {
            JournalRig hurt = rig.Copy();
            hurt.Disk.Decay(file, position, (byte)(1 << (int)(position % 8)));
            hurt.RestartAndCheck();
            Assert.Equal(rig.Acknowledged, hurt.Acknowledged);
        }
    }

    [Fact]
    public void Any_two_bad_blocks_of_a_sealed_journal_are_mended_or_reported_and_nothing_is_cut()
    {
        JournalRig rig = SealedJournal();
        string file = NewestFile(rig);
        int blocks = (int)(UsedBytes(rig, file) / Block);
        int mended = 0, reported = 0;
        for (int first = 0; first < blocks; first++)
        {
            for (int second = first + 1; second < blocks; second++)
            {
                JournalRig hurt = rig.Copy();
                hurt.Disk.Decay(file, ((long)first * Block) + 100, 0x40);
                hurt.Disk.Decay(file, ((long)second * Block) + 8, 0x02);
                hurt.Start(damageIsFailure: false);
                if (hurt.Replayed.IsDamaged)
                {
                    reported++;
                    hurt.RequireNothingLostInSilence();
                    continue;
                }

                mended++;
                hurt.CheckReplayed();
                Assert.Equal(rig.Acknowledged, hurt.Acknowledged);
            }
        }

        Assert.True(mended > blocks);
        Assert.True(reported > 0);
    }

    [Fact]
    public void Damage_before_the_durable_position_names_the_group_whose_entries_are_lost()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 50)));
        long start = UsedBytes(rig, NewestFile(rig));
        rig.Write(Records.Of(B, Records.Entries(B, 1, 3, 1, 3000)));
        rig.Write(Records.Of(A, Records.Entries(A, 4, 5, 1, 50)));
        rig.Disk.Decay(NewestFile(rig), start + Block, 1);
        rig.Disk.Decay(NewestFile(rig), start + (2 * Block), 1);

        // What was found is kept over restarts, though the next generation's file is clean.
        for (int restart = 0; restart < 3; restart++)
        {
            rig.Disk.ProcessCrash();
            rig.Start(damageIsFailure: false);
            Assert.Equal([B], rig.Replayed.DamagedGroups);
            Assert.Equal(5, rig.Replayed.At(A).Entries.Count);
            Assert.Empty(rig.Replayed.At(B).Entries);
            JournalDamage damage = rig.Replayed.Damages[B];
            Assert.Equal(new LogPosition(new Term(1), new LogIndex(3)), damage.Held);
            Assert.False(damage.HardStateLost || damage.StateLost);
            Assert.Contains(restart == 0 ? "entries 1 to 3" : "an earlier start", Assert.Single(rig.Replayed.Reports));
        }
    }

    /// <summary>
    /// The last batch, of which no other says that it was durable, is written anew by a start. That it says of an earlier loss does not hold for
    /// one that this start found: neither is that one healed, nor less was lost.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_the_last_batch_says_of_an_earlier_loss_is_not_said_of_a_new_one(bool healed)
    {
        JournalRig rig = new JournalRig().Start();
        long start = UsedBytes(rig, NewestFile(rig));
        rig.Write(Records.Of(B, Records.Entries(B, 1, 3, 1, 3000)));
        rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 50)));
        Lose(rig, blocks: [start + Block, start + (2 * Block)]);
        Assert.Equal(new LogPosition(new Term(1), new LogIndex(3)), rig.Replayed.Damages[B].Held);

        start = UsedBytes(rig, NewestFile(rig));
        rig.Write(Records.Of(B, Records.Entries(B, 1, 5, 1, 2000)));
        long behind = UsedBytes(rig, NewestFile(rig));
        rig.Write(healed ? new JournalRecord { Group = B, Healed = true } : new JournalRecord { Group = B, GivenUp = true });
        Lose(rig, blocks: healed ? [start + Block, start + (2 * Block)] : [start, behind - Block]);
        JournalDamage damage = rig.Replayed.Damages[B];
        Assert.Equal(healed, !damage.HardStateLost);

        for (int restart = 0; restart < 3; restart++)
        {
            rig.Disk.ProcessCrash();
            rig.Start(damageIsFailure: false);
            Assert.Equal(damage with { KeptBelowFile = rig.Replayed.Damages[B].KeptBelowFile }, rig.Replayed.Damages[B]);
            Assert.Empty(rig.Replayed.At(B).Entries);
        }
    }

    /// <summary>A group's votes and log went with the state that a file opens with; the word that follows is of what was lost before.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_said_of_an_earlier_loss_behind_a_hole_does_not_hide_the_hole(bool healed)
    {
        JournalRig rig = new JournalRig().Start();
        long start = UsedBytes(rig, NewestFile(rig));
        rig.Write(Records.Of(B, Records.Entries(B, 1, 3, 1, 3000)));
        rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 50)));
        Lose(rig, blocks: [start + Block, start + (2 * Block)]);
        long opened = UsedBytes(rig, NewestFile(rig));

        rig.Write(healed ? new JournalRecord { Group = B, Healed = true } : new JournalRecord { Group = B, GivenUp = true });
        rig.Write(Records.Of(A, Records.Entries(A, 4, 5, 1, 50)));
        rig.Seal();
        Lose(rig, blocks: [0, opened - Block]);

        for (int restart = 0; restart < 3; restart++)
        {
            Assert.True(rig.Replayed.Damages[B].StateLost);
            rig.Disk.ProcessCrash();
            rig.Start(damageIsFailure: false);
        }
    }

    [Fact]
    public void What_lies_before_the_beginning_of_the_log_is_no_loss()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 50)));
        string file = NewestFile(rig);
        long start = UsedBytes(rig, file);
        rig.Write(Records.Of(A, Records.Entries(A, 4, 6, 1, 3000)));
        rig.Write(new JournalRecord { Group = A, LogBase = new LogIndex(6) });
        rig.Write(Records.Of(A, Records.Entries(A, 7, 8, 1, 50)));
        rig.Disk.Decay(file, start + Block, 1);
        rig.Disk.Decay(file, start + (2 * Block), 1);

        rig.Disk.ProcessCrash();
        rig.Start(damageIsFailure: false);

        Assert.False(rig.Replayed.IsDamaged);
        Assert.Equal(8, rig.Replayed.At(A).LastIndex);
    }

    [Fact]
    public void Damage_of_a_batch_with_its_table_concerns_every_group()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 50)));
        long start = UsedBytes(rig, NewestFile(rig));
        rig.Write(Records.Of(B, Records.Entries(B, 1, 1, 1, 50)));
        long end = UsedBytes(rig, NewestFile(rig));
        rig.Write(Records.Of(A, Records.Entries(A, 4, 5, 1, 50)));
        rig.Disk.Decay(NewestFile(rig), start, 1);
        rig.Disk.Decay(NewestFile(rig), end - Block, 1);
        for (int restart = 0; restart < 3; restart++)
        {
            rig.Disk.ProcessCrash();
            rig.Start(damageIsFailure: false);
            rig.RequireNothingLostInSilence();

            // A's log may have reached further and been cut; of B, of which nothing stands anywhere else, nothing is known at all.
            Assert.Null(rig.Replayed.Damages[A].Held);
            Assert.True(rig.Replayed.Damages[A].HardStateLost);
            Assert.True(rig.Replayed.Damages[B].StateLost);
        }
    }

    /// <summary>The opening batch lies twice, in the first block and the second; without both the file holds nothing, and the start is refused.</summary>
    [Fact]
    public void A_file_cut_anywhere_loses_nothing_silently()
    {
        JournalRig rig = SealedJournal();
        string file = NewestFile(rig);
        long used = UsedBytes(rig, file);
        for (long length = 0; length < 16 * Block; length += LongForm.IsOn && length < used ? 1 : 512)
        {
            JournalRig hurt = rig.Copy();
            using (IDiskFile open = hurt.Disk.Open(file, DiskFileMode.Existing))
            {
                open.SetLength(length);
                open.Sync();
            }

            if (length < 2 * Block)
            {
                Assert.Throws<JournalRefusedException>(() => hurt.Start(damageIsFailure: false));
                continue;
            }

            hurt.Start(damageIsFailure: false);
            hurt.RequireNothingLostInSilence();
        }
    }

    [Fact]
    public void D16_a_missing_file_that_is_still_needed_is_damage()
    {
        JournalRig rig = new JournalRig().Start();
        for (int i = 0; i < 6; i++)
        {
            rig.Write(Records.Of(A, Records.Entries(A, (i * 3) + 1, (i * 3) + 3, 1, 6000)));
        }

        string[] files = [.. rig.Disk.List("journal")];
        Assert.True(files.Length > 3);
        foreach (string file in files[..^2])
        {
            JournalRig hurt = rig.Copy();
            hurt.Disk.DeleteFile($"journal/{file}");
            hurt.Start(damageIsFailure: false);
            Assert.Equal([A], hurt.Replayed.DamagedGroups);
            hurt.RequireNothingLostInSilence();
        }
    }

    [Fact]
    public void D10_a_batch_torn_in_any_way_is_cut_or_whole()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 500)));
        rig.Append(Records.Of(A, Records.Entries(A, 4, 6, 1, 2000)));
        rig.Journal.Flush();
        rig.Disk.CrashAfter(2);
        Assert.Throws<SimulatedCrashException>(() => rig.Queue.Execute(DiskLane.Journal));
        long[] blocks = [.. rig.Disk.Unsynced().Select(part => part.Position / Block).Distinct()];
        Assert.Equal(5, blocks.Length); // Header, two of body, parity, header.
        int whole = 0;
        for (int kept = 0; kept < 1 << blocks.Length; kept++)
        {
            JournalRig torn = rig.Copy(power: part => (kept >> Array.IndexOf(blocks, part.Position / Block) & 1) != 0);
            torn.RestartAndCheck();
            whole += torn.Acknowledged - rig.Acknowledged;
        }

        // One header of two or both (3 ways), and of the two body blocks and their parity all or any two (4 ways).
        Assert.Equal(12, whole);
    }

    [Fact]
    public void A_batch_torn_between_sectors_is_cut_or_whole()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 500)));
        rig.Append(Records.Of(A, Records.Entries(A, 4, 6, 1, 2000)));
        rig.Append(Records.Of(B, Records.Entries(B, 1, 1, 1, 10)));
        rig.Journal.Flush();
        rig.Disk.CrashAfter(2);
        Assert.Throws<SimulatedCrashException>(() => rig.Queue.Execute(DiskLane.Journal));
        RandomSource random = new(3);
        for (int times = 0; times < LongForm.Rounds(500, 20_000); times++)
        {
            int outOf = random.Next(2, 30);
            JournalRig torn = rig.Copy(power: _ => !random.OneIn(outOf));
            torn.RestartAndCheck();
            torn.Write(Records.Of(A, Records.Entries(A, torn.Replayed.At(A).LastIndex + 1, torn.Replayed.At(A).LastIndex + 2, 2, 100)));
            torn.Disk.PowerCut(_ => false);
            torn.RestartAndCheck();
        }
    }

    [Fact]
    public void D09_D11_old_batches_in_a_recycled_file_are_never_taken_for_new_ones()
    {
        JournalRig rig = new JournalRig();
        rig.OnReleaseWanted = (group, upTo) => rig.Append(new JournalRecord { Group = group, SegmentsDurable = upTo });
        rig.Start();

        // Equal batches, so that old ones lie at the very places where new ones would go on.
        for (int i = 1; rig.Journal.Statistics.FilesRecycled < 10; i++)
        {
            rig.Append(Records.Of(A, Records.Entry(A, i, 1, 3000)));
            rig.Journal.Flush();
            rig.Queue.RunAll();
            if (rig.Journal.Statistics.FilesRecycled > 2)
            {
                JournalRig after = rig.Copy(power: _ => false);
                after.RestartAndCheck();
                Assert.Equal(rig.Acknowledged, after.Acknowledged);
            }
        }
    }

    [Theory]
    [InlineData(SimulatedDiskFault.WriteLost)]
    [InlineData(SimulatedDiskFault.WriteMisdirected)]
    [InlineData(SimulatedDiskFault.WriteGarbled)]
    public void A_disk_that_lies_about_a_write_is_found_out_by_the_batch_behind_it(SimulatedDiskFault fault)
    {
        for (ulong seed = 1; seed < 30; seed++)
        {
            JournalRig rig = new JournalRig(seed).Start();
            rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 2000)));
            rig.Disk.Arm(fault);
            rig.Write(Records.Of(B, Records.Entries(B, 1, 3, 1, 2000)));
            rig.Write(Records.Of(A, Records.Entries(A, 4, 6, 1, 2000)));
            rig.Disk.PowerCut(_ => false);
            rig.Start(damageIsFailure: false);
            rig.RequireNothingLostInSilence();
        }
    }

    [Fact]
    public void A_batch_of_another_history_of_the_same_file_is_found_out_by_the_chain()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 50)));
        string file = NewestFile(rig);
        long start = UsedBytes(rig, file);
        JournalRig history = new JournalRig(new SimulatedDisk(new RandomSource(1))).Start();
        history.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 50)));
        history.Write(Records.Of(A, Records.Entries(A, 4, 4, 7, 50)));
        rig.Write(Records.Of(A, Records.Entries(A, 4, 4, 2, 50)));
        long end = UsedBytes(rig, file);
        rig.Write(Records.Of(A, Records.Entries(A, 5, 6, 2, 50)));

        // As a mirror does that answers from a stale half: whole, with the right place and number, and not what was written here.
        byte[] foreign = new byte[end - start];
        using (IDiskFile from = history.Disk.Open(file, DiskFileMode.Existing))
        using (IDiskFile to = rig.Disk.Open(file, DiskFileMode.Existing))
        {
            from.Read(start, foreign);
            to.Write(start, foreign);
            to.Sync();
        }

        rig.Disk.ProcessCrash();
        rig.Start(damageIsFailure: false);
        rig.RequireNothingLostInSilence();
        Assert.Equal([A], rig.Replayed.DamagedGroups);
    }

    [Fact]
    public void D12_after_a_failed_sync_the_next_start_makes_durable_what_it_found()
    {
        for (ulong seed = 1; seed < 40; seed++)
        {
            JournalRig rig = new JournalRig(seed).Start();
            rig.Write(Records.Of(A, Records.Entries(A, 1, 3, 1, 2000)));
            rig.Append(Records.Of(A, Records.Entries(A, 4, 6, 1, 2000)));
            rig.Journal.Flush();
            rig.Disk.Arm(SimulatedDiskFault.SyncFails);
            Assert.Throws<DiskFaultException>(() => rig.Queue.RunAll());
            Assert.Equal(1, rig.Acknowledged);

            // The cache still shows the batch; the disk does not have it, and a second sync would say OK.
            rig.Disk.ProcessCrash();
            rig.RestartAndCheck();
            Assert.Equal(2, rig.Acknowledged);
            rig.Disk.PowerCut(_ => false);
            rig.RestartAndCheck();
            Assert.Equal(2, rig.Acknowledged);
        }
    }

    [Fact]
    public void Deaths_at_every_operation_of_recovery_twice_and_three_times_lose_nothing()
    {
        // A batch that was synced and acknowledged, and nothing behind it that would prove it; and one that was only written.
        JournalRig rig = new JournalRig().Start();
        rig.Write(new JournalRecord { Group = A, HardState = Records.Hard(1, 1), Entries = Records.Entries(A, 1, 2, 1, 100) });
        rig.Seal();
        rig.Write(Records.Of(A, Records.Entries(A, 3, 4, 1, 2500)));
        rig.Append(Records.Of(B, Records.Entries(B, 1, 1, 1, 100)));
        rig.Journal.Flush();
        rig.Disk.CrashAfter(2);
        Assert.Throws<SimulatedCrashException>(() => rig.Queue.Execute(DiskLane.Journal));
        RandomSource random = new(9);
        Recover(rig, random, depth: LongForm.IsOn ? 3 : 2);
    }

    /// <summary>From one dead disk: every way of dying, then every operation of recovery as the place of the next death.</summary>
    private static void Recover(JournalRig dead, RandomSource random, int depth)
    {
        for (int way = 0; way < 3; way++)
        {
            for (int operations = 1; ; operations++)
            {
                JournalRig next = dead.Copy(power: way switch
                {
                    0 => null,
                    1 => _ => false,
                    _ => _ => random.OneIn(2),
                });
                if (depth == 0)
                {
                    next.RestartAndCheck();
                    next.Disk.PowerCut(_ => false);
                    next.RestartAndCheck();
                    break;
                }

                next.Disk.CrashAfter(operations);
                try
                {
                    next.Start();
                }
                catch (SimulatedCrashException)
                {
                    Recover(next, random, depth - 1);
                    continue;
                }

                next.CheckReplayed();
                break;
            }
        }
    }

    private static JournalRig SealedJournal()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Write(new JournalRecord { Group = A, HardState = Records.Hard(2, 1), Entries = Records.Entries(A, 1, 2, 2, 30) });
        rig.Write(Records.Of(A, Records.Entries(A, 3, 4, 2, 4000)), Records.Of(B, Records.Entries(B, 1, 1, 1, 700)));
        rig.Write(new JournalRecord { Group = B, HardState = Records.Hard(4) });
        rig.Seal();
        return rig;
    }

    private static void Lose(JournalRig rig, long[] blocks)
    {
        foreach (long block in blocks)
        {
            rig.Disk.Decay(NewestFile(rig), block, 1);
        }

        rig.Disk.ProcessCrash();
        rig.Start(damageIsFailure: false);
    }

    private static string NewestFile(JournalRig rig)
    {
        rig.Queue.RunAll();
        return rig.Disk.List("journal").Select(name => $"journal/{name}").Last(name => UsedBytes(rig, name) > 0);
    }

    private static long UsedBytes(JournalRig rig, string file)
    {
        using IDiskFile open = rig.Disk.Open(file, DiskFileMode.Existing);
        byte[] bytes = new byte[open.Length];
        open.Read(0, bytes);
        int last = bytes.AsSpan().LastIndexOfAnyExcept((byte)0);
        return (last + Block) / Block * Block;
    }
}
