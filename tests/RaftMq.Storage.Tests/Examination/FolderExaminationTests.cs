using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Examination;

/// <summary>One damage at a time, of each kind of file: which file is named, in what state, and what a start makes of it.</summary>
public sealed class FolderExaminationTests
{
    private static readonly StoppedNode s_node = StoppedNode.Usual();

    private readonly SimulatedDisk _disk = s_node.Disk.Clone(new RandomSource(1));

    [Fact]
    public void A_folder_after_a_power_cut_is_whole_and_says_what_each_file_holds()
    {
        ExaminedFolder folder = Examine();
        Assert.True(folder.IsWhole);
        Assert.Equal((1, 1L), (folder.Node!.Value.Value, folder.Boot));
        Assert.All(folder.Files, file => Assert.False(file.IsDamage));
        Assert.All(folder.Groups, group => Assert.Equal((GroupFate.Starts, null), (group.Fate, group.Report)));
        FileRole[] roles = [.. folder.Files.Select(file => file.Role).Distinct().Order()];
        Assert.Equal(
            [FileRole.Identity, FileRole.Boot, FileRole.JournalMark, FileRole.Journal, FileRole.GroupMeta, FileRole.Segment, FileRole.Index, FileRole.Base, FileRole.Newest],
            roles);
        Assert.Contains(folder.Files, file => file is { Role: FileRole.Segment, State: FileState.Whole } && file.Detail.StartsWith("entries ", StringComparison.Ordinal));
        Assert.Equal(AllFiles().Order(StringComparer.Ordinal), folder.Files.Select(file => file.Path).Order(StringComparer.Ordinal));
        Assert.All(folder.Files, file => Assert.Equal(LengthOf(file.Path), file.Bytes));
    }

    [Fact]
    public void Nothing_is_written_and_the_same_is_said_again()
    {
        string segment = Segment();
        _disk.Decay(segment, 100, 1);
        long operations = _disk.Operations;
        ExaminedFolder first = Examine();
        Assert.Equal(operations, _disk.Operations);
        Assert.Equal(first.Files, Examine().Files);
    }

    [Fact]
    public void A_flipped_bit_in_a_durable_segment_is_damage_at_its_entry()
    {
        string segment = Segment();
        _disk.Decay(segment, LengthOf(segment) / 2, 8);
        ExaminedFile found = OnlyDamage(Examine(), segment, FileState.Damaged);
        Assert.Contains("whole from entry ", found.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cut_a_lost_and_an_empty_segment_are_damage()
    {
        string segment = Segment();
        _disk.CutOnMedium(segment, LengthOf(segment) - 1);
        OnlyDamage(Examine(), segment, FileState.Damaged);
        _disk.CutOnMedium(segment, 0);
        OnlyDamage(Examine(), segment, FileState.Damaged);
        _disk.LoseOnMedium(segment);
        ExaminedFolder folder = Examine();
        Assert.Contains("are in no file", OnlyDamage(folder, segment, FileState.Missing).Detail, StringComparison.Ordinal);
        ExaminedGroup group = folder.Groups.Single(group => group.Name == StoppedNode.Group);
        Assert.Equal(GroupFate.WaitsForRepair, group.Fate);
        Assert.False(group.IsOnlyReplica);
    }

    [Fact]
    public void Bytes_behind_the_last_entry_of_a_segment_that_another_one_follows_are_damage()
    {
        string segment = Segment();
        using (IDiskFile file = _disk.Open(segment, DiskFileMode.Existing))
        {
            file.Write(file.Length, new byte[32]);
        }

        ExaminedFolder folder = Examine();
        OnlyDamage(folder, segment, FileState.Damaged);
        Assert.Equal(GroupFate.WaitsForRepair, folder.Groups.Single(group => group.Name == StoppedNode.Group).Fate);
    }

    [Fact]
    public void Where_two_whole_copies_of_the_identity_differ_the_first_one_counts_as_at_a_start()
    {
        using (IDiskFile file = _disk.Open("identity", DiskFileMode.Existing))
        {
            file.Write(IdentityLayout.SectorBytes, IdentityLayout.WriteIdentity(new NodeId(2), new StoreId(77)).AsSpan(0, IdentityLayout.SectorBytes));
        }

        ExaminedFolder folder = Examine();
        Assert.Equal((new NodeId(1), new StoreId(9)), (folder.Node, folder.Store));
        Assert.Empty(folder.Refusals);
    }

    [Fact]
    public void A_damaged_index_is_said_and_a_lost_one_is_not_missed()
    {
        string index = s_node.FileOf(name => name.EndsWith(".index", StringComparison.Ordinal));
        _disk.Decay(index, 70, 1);
        ExaminedFolder folder = Examine();
        OnlyDamage(folder, index, FileState.Damaged);
        Assert.All(folder.Groups, group => Assert.Equal(GroupFate.Starts, group.Fate));
        _disk.LoseOnMedium(index);
        Assert.True(Examine().IsWhole);
    }

    [Fact]
    public void Checkpoints_of_both_kinds_are_damage_and_what_the_newest_has_passed_must_be_there()
    {
        string newest = s_node.FileOf(name => name.StartsWith("newest-", StringComparison.Ordinal));
        string atBase = s_node.FileOf(name => name.StartsWith("base-", StringComparison.Ordinal));
        _disk.Decay(atBase, 90, 2);
        OnlyDamage(Examine(), atBase, FileState.Damaged);
        _disk.LoseOnMedium(atBase);
        OnlyDamage(Examine(), atBase, FileState.Missing);
        _disk.Decay(newest, 90, 2);
        Assert.Contains(Examine().Files, file => file.Path == newest && file.State == FileState.Damaged);
    }

    [Fact]
    public void A_damaged_or_lost_meta_file_keeps_the_group_out_and_the_folder_still_says_its_name()
    {
        string meta = $"{Folder}/group.meta";
        _disk.Decay(meta, 10, 1);
        OnlyDamage(Examine(), meta, FileState.Damaged);
        _disk.LoseOnMedium(meta);
        ExaminedFolder folder = Examine();
        OnlyDamage(folder, meta, FileState.Missing);
        Assert.Equal(GroupFate.StaysOut, folder.Groups.Single(group => group.Name == StoppedNode.Group).Fate);
    }

    [Fact]
    public void One_bad_copy_of_the_identity_is_mendable_and_two_keep_the_node_out()
    {
        foreach (string path in (string[])["identity", "boot"])
        {
            SimulatedDisk disk = _disk.Clone(new RandomSource(1));
            disk.Decay(path, 20, 1);
            ExaminedFolder folder = FolderExamination.Run(disk, _ => true);
            Assert.Equal(FileState.Mendable, folder.Files.Single(file => file.IsDamage).State);
            Assert.Empty(folder.Refusals);
            disk.Decay(path, 532, 1);
            folder = FolderExamination.Run(disk, _ => true);
            Assert.Equal((path, FileState.Damaged), folder.Files.Where(file => file.IsDamage).Select(file => (file.Path, file.State)).Single());
            Assert.Contains($"'{path}'", Assert.Single(folder.Refusals), StringComparison.Ordinal);
            Assert.False(folder.IsWhole);
        }
    }

    [Fact]
    public void A_journal_without_its_mark_or_its_newest_file_keeps_the_node_out()
    {
        string newest = $"journal/{_disk.List("journal")[^1]}";
        SimulatedDisk disk = _disk.Clone(new RandomSource(1));
        disk.LoseOnMedium(newest);
        Assert.Contains(newest, Assert.Single(FolderExamination.Run(disk, _ => true).Refusals), StringComparison.Ordinal);
        _disk.LoseOnMedium("journal.mark");
        ExaminedFolder folder = Examine();
        Assert.Contains("journal.mark", Assert.Single(folder.Refusals), StringComparison.Ordinal);
        OnlyDamage(folder, "journal.mark", FileState.Missing);
        Assert.All(folder.Groups, group => Assert.Equal(GroupFate.Unknown, group.Fate));
    }

    [Fact]
    public void One_bad_block_of_a_durable_batch_is_mendable_and_two_name_the_groups_that_lost_something()
    {
        // The first file that is followed begins with a batch of every group's state, whose header is one block and its copy another.
        string journal = Examine().Files.First(file => file is { Role: FileRole.Journal, State: FileState.Whole }).Path;
        _disk.Decay(journal, 200, 1);
        ExaminedFolder folder = Examine();
        OnlyDamage(folder, journal, FileState.Mendable);
        Assert.All(folder.Groups, group => Assert.Equal(GroupFate.Starts, group.Fate));

        // Of batches' headers and bodies so many in a row that not all of them can be made whole.
        for (long at = 4096 * 2; at < 4096 * 6; at += 4096)
        {
            _disk.Decay(journal, at + 100, 1);
        }

        folder = Examine();
        OnlyDamage(folder, journal, FileState.Damaged);
        Assert.Contains(folder.Groups, group => group.IsDamaged);
    }

    [Fact]
    public void Foreign_files_are_named_and_are_no_damage_and_a_foreign_folder_keeps_the_node_out()
    {
        foreach (string path in (string[])["notes", "journal/notes", $"{Folder}/notes"])
        {
            _disk.Open(path, DiskFileMode.CreateNew).Dispose();
            Assert.Equal(FileState.Foreign, Examine().Files.Single(file => file.Path == path).State);
        }

        Assert.True(Examine().IsWhole);
        _disk.CreateFolder("groups/notes");
        ExaminedFolder folder = Examine();
        Assert.Contains("groups/notes", Assert.Single(folder.Refusals), StringComparison.Ordinal);
        Assert.All(folder.Groups, group => Assert.Equal(GroupFate.Starts, group.Fate));
        Assert.False(folder.IsWhole);
    }

    [Fact]
    public void What_no_start_finished_is_left_over()
    {
        foreach (string path in (string[])["identity.new", $"{Folder}/base-00000000000000000099.checkpoint.tmp", $"{Folder}/00000000000000000001.log.repair"])
        {
            _disk.Open(path, DiskFileMode.CreateNew).Dispose();
            Assert.Equal(FileState.Leftover, Examine().Files.Single(file => file.Path == path).State);
        }

        Assert.True(Examine().IsWhole);
    }

    [Fact]
    public void A_groups_folder_that_is_gone_is_missed_by_the_journal()
    {
        foreach (string name in _disk.List(Folder))
        {
            _disk.DeleteFile($"{Folder}/{name}");
        }

        _disk.DeleteFolder(Folder);
        ExaminedGroup lost = Examine().Groups.Single(group => group.IsDamaged);
        Assert.Equal((null, GroupFate.StaysOut), (lost.Folder, lost.Fate));
    }

    [Fact]
    public void An_emptied_volume_is_no_data_folder_and_one_without_identity_is_refused()
    {
        Assert.False(FolderExamination.IsDataFolder(new SimulatedDisk(new RandomSource(1))));
        Assert.True(FolderExamination.IsDataFolder(_disk));
        _disk.LoseOnMedium("identity");
        ExaminedFolder folder = Examine();
        Assert.NotEmpty(folder.Refusals);
        Assert.Contains(folder.Files, file => file is { Path: "identity", State: FileState.Missing });
        Assert.Contains(folder.Files, file => file is { Role: FileRole.Journal, State: FileState.Unjudged });
    }

    [Fact]
    public void A_folder_of_another_format_is_refused_as_a_whole()
    {
        byte[] identity = IdentityLayout.WriteIdentity(new NodeId(1), new StoreId(9));
        identity[8] = 1;
        BitConverter.TryWriteBytes(identity.AsSpan(4), Crc32C.Compute(identity.AsSpan(8, 40)));
        _disk.Impose("identity", 0, identity.AsSpan(0, 512));
        Assert.Equal(StoreRefusal.OldFormat, Assert.Throws<StoreRefusedException>(() => Examine()).Reason);
    }

    [Fact]
    public void A_disk_that_does_not_give_a_file_is_found_of_that_file()
    {
        string segment = Segment();
        UnreadableDisk disk = new(_disk, segment);
        ExaminedFolder folder = FolderExamination.Run(disk, _ => true);
        Assert.Equal((segment, FileState.Unreadable), folder.Files.Where(file => file.IsDamage).Select(file => (file.Path, file.State)).Single());
    }

    [Fact]
    public void Only_the_wanted_group_is_read_and_the_journal_always()
    {
        _disk.Decay(Segment(), 100, 1);
        ExaminedFolder other = FolderExamination.Run(_disk, name => name == "t-2");
        Assert.True(other.IsWhole);
        Assert.Equal("t-2", Assert.Single(other.Groups).Name);
        Assert.Contains(other.Files, file => file.Role == FileRole.Journal);
        Assert.DoesNotContain(other.Files, file => file.Path.StartsWith(Folder, StringComparison.Ordinal));
    }

    [Fact]
    public void The_only_replica_is_known_as_such()
    {
        StoppedNode alone = StoppedNode.Usual(Membership.Of(LogHarness.Replica(1)));
        Assert.All(FolderExamination.Run(alone.Disk, _ => true).Groups, group => Assert.True(group.IsOnlyReplica));
        Assert.All(Examine().Groups, group => Assert.False(group.IsOnlyReplica));
    }

    [Fact]
    public void A_journal_with_more_to_put_into_segments_than_memory_has_is_said()
    {
        StoppedNode node = new(new RandomSource(3));
        node.Live(60);
        node.Settle();
        ExaminedFolder folder = FolderExamination.Run(node.Disk, _ => true, scratchBytesMax: 8 << 10);
        Assert.Contains("could not be found out", Assert.Single(folder.Refusals), StringComparison.Ordinal);
    }

    private static string Folder => s_node.FileOf(name => name == "group.meta")[..^"/group.meta".Length];

    private ExaminedFolder Examine() => FolderExamination.Run(_disk, _ => true);

    /// <summary>The first one that the journal knows to be durable.</summary>
    private static string Segment() => s_node.FileOf(name => name.EndsWith(".log", StringComparison.Ordinal));

    private static ExaminedFile OnlyDamage(ExaminedFolder folder, string path, FileState state)
    {
        ExaminedFile found = Assert.Single(folder.Files, file => file.IsDamage);
        Assert.Equal((path, state), (found.Path, found.State));
        Assert.False(folder.IsWhole);
        return found;
    }

    private IEnumerable<string> AllFiles() =>
        _disk.List("").Where(_disk.FileExists)
            .Concat(_disk.List("journal").Select(name => $"journal/{name}"))
            .Concat(_disk.List("groups").SelectMany(folder => _disk.List($"groups/{folder}").Select(name => $"groups/{folder}/{name}")));

    private long LengthOf(string path)
    {
        using IDiskFile file = _disk.Open(path, DiskFileMode.Existing);
        return file.Length;
    }
}
