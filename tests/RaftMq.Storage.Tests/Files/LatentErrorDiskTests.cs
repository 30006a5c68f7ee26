using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Tests.Files;

/// <summary>Blocks that the medium does not give back.</summary>
public sealed class LatentErrorDiskTests
{
    private const int Block = LatentErrorDisk.BlockBytes;
    private readonly SimulatedDisk _medium = new(new RandomSource(1));
    private readonly List<UnreadableBlock> _told = [];

    private LatentErrorDisk Disk => field ??= new LatentErrorDisk(_medium, _told.Add);

    [Fact]
    public void What_lies_in_an_unreadable_block_reads_as_something_else_and_the_rest_as_it_is()
    {
        IDiskFile file = File("groups/t/0.log", 3 * Block + 100);
        _medium.LoseBlock(file.Path, Block + 7);

        byte[] all = Read(file, 10, 3 * Block);
        Assert.Equal(Written(10, Block - 10), all[..(Block - 10)]);
        Assert.All(all[(Block - 10)..(2 * Block - 10)], b => Assert.Equal(0xDB, b));
        Assert.Equal(Written(2 * Block, Block + 10), all[(2 * Block - 10)..]);
        Assert.Equal(100, file.Read(3 * Block, new byte[Block]));

        Read(file, 0, Block);
        Read(File("groups/t/1.log", Block), 0, Block);
        UnreadableBlock told = Assert.Single(_told);
        Assert.Equal((file.Path, (long)Block), (told.Path, told.Position));
        Assert.Contains("EIO", told.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_that_passes_costs_nothing()
    {
        IDiskFile file = File("groups/t/0.log", 2 * Block);
        _medium.Arm(SimulatedDiskFault.ReadFails);
        Assert.Equal(Written(0, 2 * Block), Read(file, 0, 2 * Block));
        Assert.Empty(_told);
    }

    [Fact]
    public void What_is_written_there_again_can_be_read()
    {
        IDiskFile file = File("groups/t/0.log", 2 * Block);
        _medium.LoseBlock(file.Path, 0);
        file.Write(0, Written(0, Block));
        Assert.Equal(Written(0, 2 * Block), Read(file, 0, 2 * Block));
    }

    [Theory]
    [InlineData("journal/0000000000000001.journal")]
    [InlineData("store")]
    public void Files_that_nobody_else_has_a_copy_of_are_not_guessed_at(string path)
    {
        IDiskFile file = File(path, Block);
        _medium.LoseBlock(path, 0);
        Assert.Throws<UnreadableException>(() => Read(file, 0, Block));
        Assert.Empty(_told);
    }

    private static byte[] Written(int from, int count) => [.. Enumerable.Range(from, count).Select(static at => (byte)(at % 251))];

    private static byte[] Read(IDiskFile file, int position, int count)
    {
        byte[] bytes = new byte[count];
        Assert.Equal(count, file.Read(position, bytes));
        return bytes;
    }

    private IDiskFile File(string path, int bytes)
    {
        if (path.Contains('/', StringComparison.Ordinal))
        {
            Disk.CreateFolder(path[..path.LastIndexOf('/')]);
        }

        IDiskFile file = Disk.Open(path, DiskFileMode.CreateNew);
        file.Write(0, Written(0, bytes));
        file.Sync();
        return file;
    }
}
