using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Tests.Disk;

public sealed class SimulatedDiskTests
{
    private readonly SimulatedDisk _disk = new(new RandomSource(7));

    [Fact]
    public void Power_cut_loses_what_was_not_synced()
    {
        using (IDiskFile file = Make("f", 3))
        {
            file.Write(0, Filled(3 * 4096, 1));
            file.Sync();
            file.Write(512, Filled(1024, 2));
        }

        _disk.PowerCut(_ => false);
        Assert.Equal(Filled(3 * 4096, 1), ReadAll("f"));
    }

    [Fact]
    public void Power_cut_keeps_any_chosen_sector()
    {
        IDiskFile file = Make("f", 1);
        file.Write(0, Filled(4096, 2));
        Assert.Equal(8, _disk.Unsynced().Count);

        _disk.PowerCut(part => part.Position is 512 or 4096 - 512);

        byte[] bytes = ReadAll("f");
        for (int i = 0; i < bytes.Length; i++)
        {
            bool kept = i is >= 512 and < 1024 or >= 4096 - 512;
            Assert.Equal(kept ? 2 : 0, bytes[i]);
        }
    }

    [Fact]
    public void What_a_medium_forgets_stays_forgotten()
    {
        foreach (string name in (string[])["flipped", "cut", "lost"])
        {
            using IDiskFile file = Make(name, 2);
            file.Write(0, Filled(2 * 4096, 1));
            file.Sync();
            _disk.SyncFolder("");
        }

        _disk.Impose("flipped", 4000, Filled(300, 9));
        _disk.CutOnMedium("cut", 700);
        _disk.LoseOnMedium("lost");
        for (int life = 0; life < 2; life++)
        {
            byte[] flipped = ReadAll("flipped");
            Assert.Equal(Filled(300, 9), flipped[4000..4300]);
            Assert.Equal(Filled(4000, 1), flipped[..4000]);
            Assert.Equal(Filled((2 * 4096) - 4300, 1), flipped[4300..]);
            Assert.Equal(Filled(700, 1), ReadAll("cut"));
            Assert.False(_disk.FileExists("lost"));
            _disk.PowerCut(_ => false);
        }

        // A file that grows again reads zeros there.
        using IDiskFile again = _disk.Open("cut", DiskFileMode.Existing);
        again.SetLength(2 * 4096);
        Assert.Equal(new byte[(2 * 4096) - 700], ReadAll("cut")[700..]);
    }

    [Fact]
    public void Process_crash_keeps_the_cache_and_voids_open_files()
    {
        IDiskFile file = Make("f", 1);
        file.Write(0, Filled(100, 3));
        _disk.ProcessCrash();

        Assert.Throws<InvalidOperationException>(() => file.Sync());
        Assert.Equal(3, ReadAll("f")[99]);
        _disk.PowerCut(_ => false);
        Assert.Equal(0, ReadAll("f")[99]);
    }

    [Fact]
    public void Names_are_durable_after_the_folder_was_synced_and_not_before()
    {
        Make("a/x", 1).Dispose();
        using (IDiskFile fresh = _disk.Open("a/y", DiskFileMode.CreateNew))
        {
            fresh.Write(0, Filled(10, 1));
            fresh.Sync();
        }

        _disk.Rename("a/x", "a/z");
        Assert.Equal(["y", "z"], _disk.List("a"));
        Assert.Equal(["x"], _disk.DurableView().List("a"));
        _disk.PowerCut(_ => false);
        Assert.Equal(["x"], _disk.List("a"));
    }

    [Fact]
    public void A_failed_sync_leaves_pages_that_look_clean_and_are_lost()
    {
        IDiskFile file = Make("f", 64);
        _disk.Arm(SimulatedDiskFault.SyncFails);
        file.Write(0, Filled(64 * 4096, 9));
        Assert.Throws<DiskFaultException>(file.Sync);
        file.Sync();
        Assert.Equal(Filled(64 * 4096, 9), ReadAll("f"));

        _disk.PowerCut(_ => true);
        byte[] after = ReadAll("f");
        Assert.Contains((byte)0, after);
        Assert.Contains((byte)9, after);
    }

    [Fact]
    public void A_crash_strikes_in_the_named_operation_and_everything_after_it_fails()
    {
        IDiskFile file = Make("f", 1);
        _disk.CrashAfter(2);
        file.Write(0, Filled(10, 1));
        Assert.Throws<SimulatedCrashException>(file.Sync);
        Assert.True(_disk.IsCrashed);
        Assert.Throws<SimulatedCrashException>(() => _disk.FileExists("f"));
        _disk.PowerCut(_ => false);
        Assert.Equal(0, ReadAll("f")[0]);
    }

    [Fact]
    public void A_full_disk_refuses_growth_and_takes_writes_inside_files()
    {
        IDiskFile file = Make("f", 2);
        _disk.CapacityBytesMax = 2 * 4096;
        Assert.Throws<DiskFullException>(() => file.Write((2 * 4096) - 1, Filled(2, 1)));
        file.Write(0, Filled(2 * 4096, 1));
    }

    [Fact]
    public void A_clone_and_its_original_do_not_meet()
    {
        IDiskFile file = Make("f", 2);
        file.Write(0, Filled(4096, 1));
        SimulatedDisk clone = _disk.Clone(new RandomSource(1));
        file.Write(0, Filled(2 * 4096, 2));
        file.Sync();

        clone.PowerCut(_ => true);
        using IDiskFile other = clone.Open("f", DiskFileMode.Existing);
        byte[] bytes = new byte[2 * 4096];
        other.Read(0, bytes);
        Assert.Equal([.. Filled(4096, 1), .. Filled(4096, 0)], bytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_file_behaves_as_two_arrays_and_a_mask(ulong seed)
    {
        RandomSource random = new(seed);
        IDiskFile file = Make("f", 4);
        byte[] cached = new byte[4 * 4096], durable = new byte[4 * 4096];
        for (int step = 0; step < 2000; step++)
        {
            switch (random.Next(8))
            {
                case 0:
                    file.Sync();
                    cached.CopyTo(durable, 0);
                    break;
                case 1:
                    HashSet<long> kept = [];
                    RandomSource choice = random.Split();
                    _disk.PowerCut(part => choice.OneIn(2) && kept.Add(part.Position));
                    foreach (long position in kept)
                    {
                        Array.Copy(cached, position, durable, position, 512);
                    }

                    durable.CopyTo(cached, 0);
                    file = _disk.Open("f", DiskFileMode.Existing);
                    break;
                default:
                    int at = random.Next(cached.Length), length = random.Next(cached.Length - at + 1);
                    byte[] bytes = Filled(length, (byte)step);
                    file.Write(at, bytes);
                    bytes.CopyTo(cached, at);
                    break;
            }

            Assert.Equal(cached, ReadAll("f"));
            using IDiskFile view = _disk.DurableView().Open("f", DiskFileMode.Existing);
            byte[] seen = new byte[durable.Length];
            view.Read(0, seen);
            Assert.Equal(durable, seen);
        }
    }

    private static byte[] Filled(int length, byte value)
    {
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    /// <summary>A durable file of zeros.</summary>
    private IDiskFile Make(string path, int pages)
    {
        string folder = path.Contains('/') ? path[..path.LastIndexOf('/')] : "";
        _disk.CreateFolder(folder);
        IDiskFile file = _disk.Open(path, DiskFileMode.CreateNew);
        file.Write(0, new byte[pages * 4096]);
        file.Sync();
        _disk.SyncFolder("");
        _disk.SyncFolder(folder);
        return file;
    }

    private byte[] ReadAll(string path)
    {
        using IDiskFile file = _disk.Open(path, DiskFileMode.Existing);
        byte[] bytes = new byte[file.Length];
        Assert.Equal(bytes.Length, file.Read(0, bytes));
        return bytes;
    }
}
