using RaftMq.Broker.Environment;
using RaftMq.Server.Configuration;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Hosting;

public sealed class JournalRoomTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 64, 0)]
    [InlineData(60, 4, 0)]
    [InlineData(100, 0, 0)]
    [InlineData(0, 63, 63)]
    [InlineData(59, 4, 63)]
    [InlineData(0, 0, 0, true)]
    public void Journal_wants_room_for_what_it_has_not_got_yet(long hasMiB, long freeMiB, long roomMiB, bool warns = false)
    {
        Have(hasMiB * MiB);

        NodeEvent? told = JournalRoom.Look(Options, _ => freeMiB * MiB);

        Assert.Equal(warns || roomMiB > 0, told is not null);
        if (told is not null)
        {
            Assert.Equal(NodeEventLevel.Warning, told.Level);
            Assert.Equal(
                $"journal.total.bytes is 64 MiB, but the journal finds room for {roomMiB} MiB only ({freeMiB} MiB free on its disk, {hasMiB} MiB that it "
                + "has already): once the disk is full, producers of the partitions that this node leads wait or are refused until there is room; make "
                + "some, or lower journal.total.bytes.",
                told.Text);
            Assert.Equal<(string, object)>([("totalBytes", 64 * MiB), ("freeBytes", freeMiB * MiB), ("journalBytes", hasMiB * MiB)], told.Facts);
        }
    }

    [Fact]
    public void Room_is_looked_for_on_the_journals_own_disk()
    {
        string asked = "";
        long Free(string folder)
        {
            asked = folder;
            return JournalRoom.FreeBytesOf(folder);
        }

        JournalRoom.Look(Options, Free);
        Assert.Equal(_folder.Path, asked);
        Have(0);
        Assert.Null(JournalRoom.Look(Options with { Journal = new JournalSettings { TotalBytes = 1 } }, Free));
        Assert.Equal(_folder.File("journal"), asked);
        Assert.Null(JournalRoom.Look(Options, _ => throw new UnauthorizedAccessException()));
    }

    private ServerOptions Options => new() { DataFolder = _folder.Path, Journal = new JournalSettings { TotalBytes = 64 * MiB } };

    /// <summary>Files without blocks.</summary>
    private void Have(long bytes)
    {
        Directory.CreateDirectory(_folder.File("journal"));
        using FileStream file = File.Create(Path.Combine(_folder.File("journal"), "1.journal"));
        file.SetLength(bytes);
    }
}
