using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Tests.Files;

public sealed class StoreIdentityTests
{
    private static readonly NodeId Node = new(3);
    private static readonly StoreId Store = new(0xFEED);
    private readonly SimulatedDisk _disk = new(new RandomSource(11));

    [Fact]
    public void An_empty_folder_is_formatted_once_and_each_start_counts()
    {
        StoreIdentity first = Open();
        Assert.Equal(new StoreIdentity(Node, Store, new BootNumber(1), WasFormatted: true), first);
        _disk.PowerCut(_ => false);
        StoreIdentity second = StoreIdentity.Open(_disk, Node, StoreExpectation.HasData, new StoreId(1));
        Assert.Equal(new StoreIdentity(Node, Store, new BootNumber(2), WasFormatted: false), second);
    }

    [Fact]
    public void A_number_that_no_node_can_have_is_no_identity()
    {
        byte[] file = IdentityLayout.WriteIdentity(Node, Store);
        foreach (int copy in new[] { 0, IdentityLayout.SectorBytes })
        {
            Span<byte> content = file.AsSpan(copy, IdentityLayout.ContentBytes);
            content[36] = 1;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(content[4..], Crc32C.Compute(content[8..]));
        }

        Assert.False(IdentityLayout.TryReadIdentity(file, out _));
    }

    /// <summary>A sum of only ones holds for 32 one bits with zeros behind them.</summary>
    [Theory]
    [InlineData(IdentityLayout.IdentityMagic)]
    [InlineData(IdentityLayout.BootMagic)]
    public void Ones_and_then_zeros_are_no_whole_copy(uint magic)
    {
        byte[] file = IdentityLayout.WriteIdentity(Node, Store);
        Span<byte> first = file.AsSpan(0, IdentityLayout.ContentBytes);
        first.Clear();
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(first, magic);
        first[4..12].Fill(0xFF);
        Assert.Equal(uint.MaxValue, Crc32C.Compute(first[8..]));

        Assert.False(IdentityLayout.TryReadBoot(file, default, out _));
        Assert.True(IdentityLayout.TryReadIdentity(file, out IdentityContent content));
        Assert.Equal(new IdentityContent(IdentityLayout.Version, Node, Store), content);
    }

    [Fact]
    public void A_boot_number_is_never_given_twice_whatever_dies()
    {
        for (int operations = 1; operations < 25; operations++)
        {
            for (ulong seed = 0; seed < 8; seed++)
            {
                SimulatedDisk disk = new(new RandomSource(seed));
                RandomSource random = new(seed + 100);
                long boot = 0;
                if (seed % 2 == 0)
                {
                    boot = StoreIdentity.Open(disk, Node, StoreExpectation.MayBeEmpty, Store).Boot.Value;
                }

                for (int restart = 0; restart < 4; restart++)
                {
                    disk.CrashAfter(operations);
                    try
                    {
                        StoreIdentity opened = StoreIdentity.Open(disk, Node, StoreExpectation.MayBeEmpty, Store);
                        Assert.True(opened.Boot.Value > boot);
                        boot = opened.Boot.Value;
                    }
                    catch (SimulatedCrashException)
                    {
                    }

                    if (random.OneIn(3))
                    {
                        disk.ProcessCrash();
                    }
                    else
                    {
                        disk.PowerCut(random);
                    }
                }

                Assert.True(StoreIdentity.Open(disk, Node, StoreExpectation.MayBeEmpty, Store).Boot.Value > boot);
            }
        }
    }

    [Fact]
    public void D18_an_emptied_volume_is_refused_where_data_was_expected()
    {
        StoreRefusedException refused = Assert.Throws<StoreRefusedException>(
            () => StoreIdentity.Open(_disk, Node, StoreExpectation.HasData, Store));
        Assert.Equal(StoreRefusal.Emptied, refused.Reason);
        Assert.Contains("Mount the right volume", refused.Message);
        Assert.Empty(_disk.List(""));
    }

    [Fact]
    public void The_folder_of_another_node_is_refused()
    {
        Open();
        StoreRefusedException refused = Assert.Throws<StoreRefusedException>(
            () => StoreIdentity.Open(_disk, new NodeId(4), StoreExpectation.MayBeEmpty, Store));
        Assert.Equal(StoreRefusal.OtherNode, refused.Reason);
    }

    [Theory]
    [InlineData(1, StoreRefusal.OldFormat)]
    [InlineData(3, StoreRefusal.NewerFormat)]
    public void Another_format_is_refused_by_name(byte version, StoreRefusal reason)
    {
        Open();
        byte[] bytes = ReadAll("identity");
        foreach (int copy in (int[])[0, 512])
        {
            bytes[copy + 8] = version;
            uint checksum = Crc32C.Compute(bytes.AsSpan(copy + 8, 40));
            BitConverter.TryWriteBytes(bytes.AsSpan(copy + 4), checksum);
        }

        WriteAll("identity", bytes);
        Assert.Equal(reason, Assert.Throws<StoreRefusedException>(Open).Reason);
    }

    [Fact]
    public void Data_without_identity_or_boot_number_is_refused()
    {
        Open();
        _disk.CreateFolder("journal");
        _disk.DeleteFile("boot");
        Assert.Equal(StoreRefusal.Damaged, Assert.Throws<StoreRefusedException>(Open).Reason);
        _disk.DeleteFile("identity");
        Assert.Equal(StoreRefusal.Damaged, Assert.Throws<StoreRefusedException>(Open).Reason);
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("boot")]
    public void One_flipped_bit_is_mended_and_two_in_both_copies_are_refused(string file)
    {
        Open();
        for (int position = 0; position < 48; position++)
        {
            SimulatedDisk disk = _disk.Clone(new RandomSource(1));
            disk.Decay(file, position, 0x10);
            Assert.Equal(2, StoreIdentity.Open(disk, Node, StoreExpectation.MayBeEmpty, Store).Boot.Value);
            disk = _disk.Clone(new RandomSource(1));
            disk.Decay(file, position, 0x10);
            disk.Decay(file, 512 + (position * 7 % 48), 0x01);
            Assert.Throws<StoreRefusedException>(() => StoreIdentity.Open(disk, Node, StoreExpectation.MayBeEmpty, Store));
        }
    }

    private StoreIdentity Open() => StoreIdentity.Open(_disk, Node, StoreExpectation.MayBeEmpty, Store);

    private byte[] ReadAll(string path)
    {
        using IDiskFile file = _disk.Open(path, DiskFileMode.Existing);
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }

    private void WriteAll(string path, byte[] bytes)
    {
        using IDiskFile file = _disk.Open(path, DiskFileMode.Existing);
        file.Write(0, bytes);
    }
}
