using System.Text;
using RaftMq.Server.Disk;
using RaftMq.Server.Telemetry;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Tests.Disk;

public sealed class RealDiskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RealDisk _disk;

    public RealDiskTests() => _disk = new RealDisk(_folder.Path, new DiskMetrics(new MetricRegistry()));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void File_reads_back_what_was_written_and_grows()
    {
        _disk.CreateFolder("a/b");
        using IDiskFile file = _disk.Open("a/b/file", DiskFileMode.CreateNew);
        file.Write(10, "hello"u8);
        file.Write(15, [Encoding.ASCII.GetBytes(", "), Encoding.ASCII.GetBytes("world")]);
        file.Sync();
        _disk.SyncFolder("a/b");
        _disk.SyncFolder("");

        byte[] read = new byte[100];
        int count = file.Read(8, read);

        Assert.Equal(22, file.Length);
        Assert.Equal("\0\0hello, world", Encoding.ASCII.GetString(read, 0, count));
    }

    [Fact]
    public void Gathered_write_takes_more_buffers_than_one_system_call_does()
    {
        using IDiskFile file = _disk.Open("file", DiskFileMode.CreateNew);
        ReadOnlyMemory<byte>[] buffers = [.. Enumerable.Range(0, 3000).Select(i => new ReadOnlyMemory<byte>([(byte)i, (byte)(i >> 8)]))];

        file.Write(0, buffers);

        byte[] read = new byte[6000];
        Assert.Equal(6000, file.Read(0, read));
        Assert.All(Enumerable.Range(0, 3000), i => Assert.Equal(i & 0xFFFF, read[2 * i] | (read[(2 * i) + 1] << 8)));
    }

    /// <summary>Runs of all sizes one behind the other, as a segment gets them; some are written a second time, as after a full disk.</summary>
    [Fact]
    public void Runs_written_past_the_cache_read_back_through_it()
    {
        Random random = new(1);
        using IDiskFile file = _disk.Open("file", DiskFileMode.CreateNew);
        byte[] all = new byte[24 << 20];
        random.NextBytes(all);
        byte[] read = new byte[all.Length];
        int end = 0;
        while (all.Length - end > 3 << 20)
        {
            int length = random.Next(4) switch
            {
                0 => random.Next(1, 5_000),
                1 => (16 * DirectWrite.BlockBytes) - (end % DirectWrite.BlockBytes),
                2 => random.Next(1, 300_000),
                _ => random.Next(1 << 20, 3 << 20),
            };
            for (int times = random.Next(1, 3); times > 0; times--)
            {
                List<ReadOnlyMemory<byte>> buffers = [];
                for (int at = end; at < end + length;)
                {
                    int piece = Math.Min(random.Next(1, 70_000), end + length - at);
                    buffers.Add(all.AsMemory(at, piece));
                    at += piece;
                }

                file.WriteUncached(end, buffers);
            }

            end += length;
            Assert.Equal(end, file.Length);
            int from = Math.Max(0, end - length - 10_000);
            Assert.Equal(end - from, file.Read(from, read.AsSpan(0, end - from)));
            Assert.True(all.AsSpan(from, end - from).SequenceEqual(read.AsSpan(0, end - from)), $"at {end}");
        }

        file.Sync();
        Assert.Equal(end, file.Read(0, read));
        Assert.True(all.AsSpan(0, end).SequenceEqual(read.AsSpan(0, end)));
    }

    [Fact]
    public void SetLength_cuts_and_extends_with_zeros()
    {
        using IDiskFile file = _disk.Open("file", DiskFileMode.CreateNew);
        file.Write(0, "abcdef"u8);
        file.SetLength(3);
        file.SetLength(5);

        byte[] read = new byte[10];
        Assert.Equal(5, file.Read(0, read));
        Assert.Equal("abc\0\0"u8.ToArray(), read[..5]);
    }

    [Fact]
    public void List_is_in_ordinal_order_and_empty_for_a_missing_folder()
    {
        _disk.Open("b", DiskFileMode.CreateNew).Dispose();
        _disk.Open("a", DiskFileMode.CreateNew).Dispose();
        _disk.Open(".hidden", DiskFileMode.CreateNew).Dispose();
        _disk.CreateFolder("C");

        Assert.Equal([".hidden", "C", "a", "b"], _disk.List(""));
        Assert.Empty(_disk.List("missing"));
    }

    [Fact]
    public void Exists_tells_files_from_folders()
    {
        _disk.CreateFolder("folder");
        _disk.Open("file", DiskFileMode.CreateNew).Dispose();

        Assert.True(_disk.FileExists("file"));
        Assert.False(_disk.FileExists("folder"));
        Assert.True(_disk.FolderExists("folder"));
        Assert.False(_disk.FolderExists("file"));
        Assert.False(_disk.FileExists("missing/file"));
    }

    [Fact]
    public void Rename_replaces_the_target()
    {
        using (IDiskFile file = _disk.Open("new", DiskFileMode.CreateNew))
        {
            file.Write(0, "new"u8);
        }

        _disk.Open("old", DiskFileMode.CreateNew).Dispose();
        _disk.Rename("new", "old");

        using IDiskFile renamed = _disk.Open("old", DiskFileMode.Existing);
        Assert.Equal(3, renamed.Length);
        Assert.False(_disk.FileExists("new"));
    }

    [Fact]
    public void Faults_are_typed_and_name_the_call_and_the_file()
    {
        _disk.Open("file", DiskFileMode.CreateNew).Dispose();

        Assert.Contains("open of missing", Assert.Throws<DiskFaultException>(() => _disk.Open("missing", DiskFileMode.Existing)).Message);
        Assert.Throws<DiskFaultException>(() => _disk.Open("file", DiskFileMode.CreateNew));
        Assert.Contains("errno 2", Assert.Throws<DiskFaultException>(() => _disk.Rename("missing", "other")).Message);
        Assert.Contains("open of missing", Assert.Throws<DiskFaultException>(() => _disk.SyncFolder("missing")).Message);
    }

    /// <summary>The pipe of a fault that needs no special file system: /dev/full takes no byte.</summary>
    [Fact]
    public void Write_without_room_is_a_full_disk()
    {
        File.CreateSymbolicLink(_folder.File("full"), "/dev/full");
        using IDiskFile file = _disk.Open("full", DiskFileMode.Existing);

        Assert.Throws<DiskFullException>(() => file.Write(0, "x"u8));
    }
}
