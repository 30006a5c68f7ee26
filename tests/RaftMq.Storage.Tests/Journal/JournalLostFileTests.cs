using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>
/// Files of the journal that somebody or something took away. A start refuses, or reports damage, or has all that was acknowledged; never less
/// without a word.
/// </summary>
public sealed class JournalLostFileTests
{
    private const string Mark = JournalMarkFile.Path;
    private static readonly GroupId A = Records.Group(1);

    private enum Outcome
    {
        Refused,
        Damaged,
        Whole,
    }

    [Fact]
    public void The_newest_file_is_missed_by_name()
    {
        JournalRig rig = Filled();
        string newest = NewestUsed(rig);
        JournalRig hurt = rig.Copy();
        hurt.Disk.DeleteFile(newest);
        JournalRefusedException refused = Assert.Throws<JournalRefusedException>(() => hurt.Start(damageIsFailure: false));
        Assert.Contains($"{newest} is lost", refused.Message);
        Assert.Contains("Bring it back", refused.Message);

        // Asking again changes nothing, and with the file back all is well.
        Assert.Throws<JournalRefusedException>(() => hurt.Start(damageIsFailure: false));
        using (IDiskFile from = rig.Disk.Open(newest, DiskFileMode.Existing))
        using (IDiskFile to = hurt.Disk.Open(newest, DiskFileMode.CreateNew))
        {
            byte[] bytes = new byte[from.Length];
            from.Read(0, bytes);
            to.Write(0, bytes);
            to.Sync();
        }

        hurt.RestartAndCheck();
        Assert.Equal(rig.Acknowledged, hurt.Acknowledged);
    }

    [Fact]
    public void Any_one_file_that_is_lost_is_missed_if_it_is_needed_and_so_are_all_of_them()
    {
        JournalRig rig = Filled();
        string[] files = [.. rig.Disk.List("journal").Select(name => $"journal/{name}")];
        Assert.True(files.Length > 4);
        foreach (string file in files)
        {
            JournalRig hurt = rig.Copy();
            hurt.Disk.DeleteFile(file);
            Assert.NotEqual(Outcome.Whole, Judge(hurt));
        }

        for (int count = 1; count <= files.Length; count++)
        {
            JournalRig hurt = rig.Copy();
            foreach (string file in files[^count..])
            {
                hurt.Disk.DeleteFile(file);
            }

            // Even where nobody knows of any group: the mark does.
            Assert.Equal(Outcome.Refused, Judge(hurt));
        }
    }

    [Fact]
    public void A_newest_file_without_its_bytes_is_missed()
    {
        JournalRig rig = Filled();
        string newest = NewestUsed(rig);
        foreach (long length in new long[] { 0, 1, 4095 })
        {
            JournalRig cut = rig.Copy();
            using (IDiskFile file = cut.Disk.Open(newest, DiskFileMode.Existing))
            {
                file.SetLength(length);
                file.Sync();
            }

            Assert.Equal(Outcome.Refused, Judge(cut));
        }

        JournalRig zeroed = rig.Copy();
        using (IDiskFile file = zeroed.Disk.Open(newest, DiskFileMode.Existing))
        {
            file.Write(0, new byte[file.Length]);
            file.Sync();
        }

        Assert.Equal(Outcome.Refused, Judge(zeroed));
    }

    [Fact]
    public void The_first_file_of_a_start_is_missed_too()
    {
        JournalRig rig = Filled();
        for (int restart = 0; restart < 4; restart++)
        {
            rig.Disk.ProcessCrash();
            rig.RestartAndCheck();

            // Nothing was prepared since, so nothing but the start itself told of the file.
            JournalRig hurt = rig.Copy();
            hurt.Disk.DeleteFile(NewestUsed(hurt));
            Assert.Equal(Outcome.Refused, Judge(hurt));
            rig.Write(Records.Of(A, Records.Entry(A, rig.Replayed.At(A).LastIndex + 1, 1, 100)));
        }
    }

    [Fact]
    public void D14_the_newest_file_is_missed_too_where_there_is_no_room_for_the_next()
    {
        JournalRig rig = new JournalRig().Start();
        rig.Queue.RunAll();
        rig.Disk.CapacityBytesMax = 0;
        for (int i = 1; !rig.Journal.IsFull; i++)
        {
            rig.Append(Records.Of(A, Records.Entry(A, i, 1, 3000)));
            rig.Journal.Flush();
            rig.Queue.RunAll();
        }

        Assert.True(rig.Journal.UsedFiles > 1);
        JournalRig hurt = rig.Copy();
        hurt.Disk.CapacityBytesMax = long.MaxValue;
        Assert.Equal(Outcome.Whole, Judge(hurt.Copy()));
        hurt.Disk.DeleteFile(NewestUsed(hurt));
        Assert.Equal(Outcome.Refused, Judge(hurt));
    }

    /// <summary>
    /// A life with rolls, recycled files and starts that dies at any operation of the disk, and then any one file of the journal is lost.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_file_lost_after_a_crash_at_any_operation_takes_nothing_acknowledged_with_it_in_silence(int way)
    {
        Dictionary<Outcome, int> outcomes = new() { [Outcome.Refused] = 0, [Outcome.Damaged] = 0, [Outcome.Whole] = 0 };
        RandomSource random = new(5);
        int crashes = 0;
        for (int operation = 1; ; operation++)
        {
            JournalRig rig = new((ulong)operation);
            rig.OnReleaseWanted = (group, upTo) => rig.Append(new JournalRecord { Group = group, SegmentsDurable = upTo });
            try
            {
                Live(rig, operation);
                break;
            }
            catch (SimulatedCrashException)
            {
                crashes++;
            }

            JournalRig dead = rig.Copy(way switch
            {
                0 => null,
                1 => _ => false,
                _ => _ => random.OneIn(2),
            });

            // The crash alone is no loss: nothing is missed, also where the mark itself was being written.
            Assert.Equal(Outcome.Whole, Judge(dead.Copy()));
            foreach (string file in dead.Disk.List("journal"))
            {
                JournalRig hurt = dead.Copy();
                hurt.Disk.DeleteFile($"journal/{file}");
                outcomes[Judge(hurt)]++;
            }
        }

        Assert.True(crashes > 200, $"{crashes} operations");
        Assert.True(outcomes[Outcome.Refused] > crashes / 2, $"{outcomes[Outcome.Refused]} refused");
        Assert.True(outcomes[Outcome.Damaged] > crashes / 2, $"{outcomes[Outcome.Damaged]} damaged");
        Assert.True(outcomes[Outcome.Whole] > crashes / 2, $"{outcomes[Outcome.Whole]} whole");
    }

    [Fact]
    public void A_lost_mark_is_refused_and_one_bad_place_of_it_is_not()
    {
        JournalRig rig = Filled();
        JournalRig lost = rig.Copy();
        lost.Disk.DeleteFile(Mark);
        Assert.Equal(Outcome.Refused, Judge(lost));
        Assert.Equal(Outcome.Refused, Judge(lost));
        for (int at = 0; at < JournalMark.Bytes; at++)
        {
            foreach (int place in new[] { 0, JournalMarkFile.PlaceBytes })
            {
                JournalRig hurt = rig.Copy();
                hurt.Disk.Decay(Mark, place + at, 0x10);
                Assert.Equal(Outcome.Whole, Judge(hurt));
            }

            JournalRig both = rig.Copy();
            both.Disk.Decay(Mark, at, 0x10);
            both.Disk.Decay(Mark, JournalMarkFile.PlaceBytes + at, 0x01);
            Assert.Equal(Outcome.Refused, Judge(both));
        }

        for (int length = 0; length < JournalMarkFile.FileBytes; length += 64)
        {
            JournalRig cut = rig.Copy();
            using (IDiskFile file = cut.Disk.Open(Mark, DiskFileMode.Existing))
            {
                file.SetLength(length);
                file.Sync();
            }

            Assert.Equal(length < JournalMark.Bytes ? Outcome.Refused : Outcome.Whole, Judge(cut));
        }
    }

    [Fact]
    public void A_file_costs_one_write_of_the_mark()
    {
        JournalRig rig = Filled();
        JournalStatistics before = rig.Journal.Statistics;
        long marked = Sequence(rig);
        for (int i = 0; i < 50; i++)
        {
            rig.Append(Records.Of(A, Records.Entry(A, rig.Appended.Max(record => record.Entries.Count > 0 ? record.Entries[^1].Index.Value : 0) + 1, 1, 3000)));
            rig.Journal.Flush();
            rig.Queue.RunAll();
        }

        long files = rig.Journal.Statistics.FilesOpened - before.FilesOpened;
        Assert.True(files > 3);
        Assert.InRange(Sequence(rig) - marked, files - 1, files);
    }

    private static long Sequence(JournalRig rig)
    {
        using IDiskFile file = rig.Disk.Open(Mark, DiskFileMode.Existing);
        byte[] bytes = new byte[JournalMarkFile.FileBytes];
        file.Read(0, bytes);
        Assert.True(JournalMark.TryDecode(bytes, JournalRig.Store, out _, out long first));
        Assert.True(JournalMark.TryDecode(bytes.AsSpan(JournalMarkFile.PlaceBytes), JournalRig.Store, out _, out long second));
        return Math.Max(first, second);
    }

    private static Outcome Judge(JournalRig hurt)
    {
        try
        {
            hurt.Start(damageIsFailure: false);
        }
        catch (JournalRefusedException)
        {
            return Outcome.Refused;
        }

        if (hurt.Replayed.IsDamaged)
        {
            hurt.RequireNothingLostInSilence();
            return Outcome.Damaged;
        }

        hurt.CheckReplayed();
        return Outcome.Whole;
    }

    private static void Live(JournalRig rig, int operations)
    {
        rig.Disk.CrashAfter(operations);
        rig.Start();
        for (int life = 0; life < 3; life++)
        {
            long next = rig.Replayed.At(A).LastIndex + 1;
            for (int i = 0; i < 20; i++)
            {
                rig.Append(Records.Of(A, Records.Entry(A, next + i, 1, 3000)));
                rig.Journal.Flush();
                rig.Queue.RunAll();
            }

            // Which forgets the crash that is to come.
            rig.Disk.ProcessCrash();
            Assert.True(rig.Disk.Operations < operations);
            rig.Disk.CrashAfter(operations - rig.Disk.Operations);
            rig.RestartAndCheck();
        }
    }

    /// <summary>Several files, none released, all that was prepared is.</summary>
    private static JournalRig Filled()
    {
        JournalRig rig = new JournalRig().Start();
        for (int i = 0; i < 6; i++)
        {
            rig.Write(Records.Of(A, Records.Entries(A, (i * 3) + 1, (i * 3) + 3, 1, 6000)));
        }

        return rig;
    }

    private static string NewestUsed(JournalRig rig)
    {
        foreach (string name in rig.Disk.List("journal").Reverse())
        {
            using IDiskFile file = rig.Disk.Open($"journal/{name}", DiskFileMode.Existing);
            byte[] block = new byte[4096];
            file.Read(0, block);
            if (BatchHeader.TryReadLength(block, out _))
            {
                return $"journal/{name}";
            }
        }

        throw new InvalidOperationException("No journal file is in use.");
    }
}
