using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;
using RaftMq.Testing.Seeds;

namespace RaftMq.Storage.Tests.Examination;

/// <summary>
/// Any damage to any file, or none: what an examination says is what a start and a scrub of the store itself find on a copy of the same folder.
/// </summary>
public sealed class RottenFolderTests
{
    [Fact]
    public void An_examination_says_what_a_start_and_the_scrub_find()
    {
        int whole = 0, refused = 0, scrubbed = 0, repaired = 0, wounded = 0, torn = 0;
        RandomRuns runs = RandomRuns.Go(shortForm: 200, longForm: 20_000, Compare, seen =>
        {
            whole += seen.Folder.IsWhole ? 1 : 0;
            refused += seen.Folder.Refusals.Count > 0 ? 1 : 0;
            scrubbed += seen.Start.FoundByScrub.Count > 0 ? 1 : 0;
            repaired += seen.Folder.Groups.Any(group => group.Fate == GroupFate.WaitsForRepair) ? 1 : 0;
            wounded += seen.Folder.Groups.Any(group => group.Fate == GroupFate.StartsDamaged) ? 1 : 0;
            torn += seen.Folder.Files.Any(file => file.State == FileState.Torn) ? 1 : 0;
        });

        runs.MustHaveSeen(whole, 0.1, "whole folders");
        runs.MustHaveSeen(refused, 0.02, "refusals");
        runs.MustHaveSeen(scrubbed, 0.02, "finds of the scrub");
        runs.MustHaveSeen(repaired, 0.02, "groups that wait for their repair");
        runs.MustHaveSeen(wounded, 0.02, "groups of which the journal lost something");
        runs.MustHaveSeen(torn, 0.02, "torn files");
    }

    private static (ExaminedFolder Folder, RealStart Start) Compare(ulong seed)
    {
        RandomSource random = new(seed);
        StoppedNode node = new(random.Split(), groups: 2);
        node.Live(random.Next(20, 200));
        bool isSettled = random.OneIn(2);
        if (isSettled)
        {
            node.Settle();
        }

        node.Disk.PowerCut(random);
        bool isSpoilt = !random.OneIn(4);
        if (isSpoilt)
        {
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                Spoil(node.Disk, random);
            }
        }

        SimulatedDisk read = node.Disk.Clone(random.Split());
        ExaminedFolder folder = FolderExamination.Run(read, _ => true);
        Assert.Equal(node.Disk.Operations, read.Operations);
        RealStart start = new(node.Disk.Clone(random.Split()));

        Assert.Equal(start.Refusal is not null, folder.Refusals.Count > 0);
        if (!isSpoilt)
        {
            Assert.True(folder.IsWhole, string.Join("; ", folder.Refusals.Concat(folder.Files.Where(file => file.IsDamage).Select(file => $"{file}"))));
        }

        if (start.Refusal is not null)
        {
            Assert.Contains(start.Refusal, folder.Refusals);
            return (folder, start);
        }

        Assert.Equal(start.Groups.Select(group => (group.Key, group.Value.Fate, group.Value.Report)), folder.Groups
            .Where(group => group.Fate != GroupFate.Deleted).Select(group => (Named(group), group.Fate, group.Report)).OrderBy(group => group.Item1, StringComparer.Ordinal));
        foreach (ExaminedGroup group in folder.Groups)
        {
            ExaminedFile[] damaged = [.. folder.Files.Where(file => file.IsDamage && file.Path.StartsWith($"{group.Folder}/", StringComparison.Ordinal))];
            Assert.Equal(group.DamagedFiles, group.Folder is null ? 0 : damaged.Length);
            if (group.Fate is GroupFate.Starts or GroupFate.StartsDamaged)
            {
                // A base above the place where a log was cut is looked at once the log reaches there again.
                bool isCut = group.Fate == GroupFate.StartsDamaged;
                bool isFound = damaged.Any(file => file.Role == FileRole.Segment
                    || (file.Role == FileRole.Base && !(isCut && !start.FoundByScrub.ContainsKey(group.Name))));
                Assert.True(isFound == start.FoundByScrub.ContainsKey(group.Name), $"{group.Name}: {start.FoundByScrub.GetValueOrDefault(group.Name)} and {string.Join("; ", damaged.Select(file => $"{file}"))}");
            }
            else
            {
                Assert.True(damaged.Length > 0 || folder.Files.Any(file => file.Role == FileRole.Journal && file.IsDamage) || group.Folder is null, group.Report);
            }
        }

        return (folder, start);
    }

    /// <summary>Without a folder it has no name but its number.</summary>
    private static string Named(ExaminedGroup group) => group.Folder is null ? $"t-{group.Name.TrimStart('0')}" : group.Name;

    private static void Spoil(SimulatedDisk disk, RandomSource random)
    {
        string[] folders = [.. disk.List("groups").Select(name => $"groups/{name}/").Append("journal/").Append("journal/").Append("")];
        string folder = folders[random.Next(folders.Length)];
        string[] files = [.. disk.List(folder.TrimEnd('/')).Select(name => folder + name).Where(disk.FileExists)];
        if (files.Length == 0)
        {
            return;
        }

        string file = files[random.Next(files.Length)];
        using IDiskFile open = disk.Open(file, DiskFileMode.Existing);
        long length = open.Length;

        // One bad block of a batch is mended; the journal is hurt by several.
        switch (folder == "journal/" && random.OneIn(2) ? 3 : random.Next(8))
        {
            case 0:
                disk.LoseOnMedium(file);
                break;
            case 1 when length > 0:
                disk.CutOnMedium(file, random.NextInt64(length));
                break;
            case 2 when length > 0:
                long at = random.NextInt64(length);
                disk.Impose(file, at, new byte[Math.Min(length - at, 600)]);
                break;
            case 3 when length > 0:
                long from = random.NextInt64(length);
                for (int i = 0; i < 4; i++)
                {
                    disk.Decay(file, Math.Min(length - 1, from + (i * 4096)), 1);
                }

                break;
            case > 3 when length > 0:
                disk.Decay(file, random.NextInt64(random.OneIn(2) ? length : Math.Min(length, 9000)), (byte)(1 << random.Next(8)));
                break;
        }
    }
}
