using RaftMq.Raft;
using RaftMq.Simulation.World;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;

namespace RaftMq.Simulation.Faults;

/// <summary>
/// Lets a node's medium forget what was durable in its journal: bits flip in neighbouring blocks, a write lands elsewhere, blocks are what they were, a file
/// is cut or lost. What it spares is what the product can't stand by design (decision 0013, docs/on-disk.md): the last batches, which can't be told
/// from torn ones; the newest files, without which a node must not come back; and of each file the tables up to the last one that names a group first,
/// without which the group's files say nothing. What of the damage matters is seen at the next start: nothing reads the journal before.
/// </summary>
/// <param name="groupsInAll">So many groups there are in the end, and no more; null where groups come and go.</param>
internal sealed class JournalRot(
    IReadOnlyList<SimulatedNode> nodes, SimulatedNode victim, int? groupsInAll, RandomSource random, Action<FaultKind, string> note)
{
    private const int Block = BatchLayout.BlockBytes;

    /// <summary>Durable and whole ones; more than may be torn by a crash and by crashes of the starts after it.</summary>
    private const int SparedBatches = 3;
    private const int SparedFiles = 3;

    /// <summary>What files were like some time ago, by path.</summary>
    private readonly SortedDictionary<string, byte[]> _older = new(StringComparer.Ordinal);

    /// <summary>False: there is nothing that may be struck.</summary>
    public bool Strike()
    {
        if (victim.Medium.IsCrashed || !victim.Medium.FolderExists(JournalFile.Folder))
        {
            return false;
        }

        List<JournalImage> files = Files();
        List<(JournalImage File, JournalImage.Batch Batch)> batches = [.. files.SelectMany(file => file.Batches.Select(batch => (file, batch)))];
        int last = batches.Count;
        for (int whole = 0; last > 0 && whole < SparedBatches; last--)
        {
            whole += batches[last - 1].Batch.IsWhole ? 1 : 0;
        }

        if (last == 0)
        {
            return false;
        }

        if (random.OneIn(8) && files.Count > SparedFiles)
        {
            LoseFile(files[random.Next(files.Count - SparedFiles)], batches[last..]);
        }
        else
        {
            // What is older is released and not needed any more, mostly.
            int newest = random.OneIn(2) ? Math.Min(last, 16) : last;
            (JournalImage file, JournalImage.Batch batch) = batches[random.Next(last - newest, last)];
            long end = batches[last].File == file ? batches[last].Batch.Header.FileOffset : file.Batches[^1].Header.FileEnd;
            StrikeBlocks(file, batch, end, mayNameMore: file == batches[^1].File && !NamesAll(file));
        }

        foreach (JournalImage file in files.Where(file => file.Batches.Count > 0))
        {
            _older[file.Path] = file.Bytes;
        }

        return true;
    }

    private void StrikeBlocks(JournalImage file, JournalImage.Batch batch, long end, bool mayNameMore)
    {
        long from = batch.Header.FileOffset + ((long)Block * random.Next((int)(batch.Header.BatchBytes / Block)));

        // One bad block of a batch is mended where it lies; damage comes in neighbourhoods.
        int count = random.OneIn(4) ? 1 : random.Next(2, 9);
        List<long> blocks = [];
        for (long at = from; at < end && blocks.Count < count; at += Block)
        {
            if (!file.MustKeep(at, mayNameMore))
            {
                blocks.Add(at);
            }
        }

        FaultKind kind = random.Next(5) switch { 0 => FaultKind.MisdirectedWrite, 1 => FaultKind.OldBlock, _ => FaultKind.BitFlips };
        foreach (long at in blocks)
        {
            switch (kind)
            {
                case FaultKind.MisdirectedWrite:
                    victim.Medium.Impose(file.Path, at, file.Bytes.AsSpan(random.Next(file.Bytes.Length / Block) * Block, Block));
                    break;
                case FaultKind.OldBlock when _older.TryGetValue(file.Path, out byte[]? older) && at + Block <= older.Length:
                    victim.Medium.Impose(file.Path, at, older.AsSpan((int)at, Block));
                    break;
                case FaultKind.OldBlock:
                    victim.Medium.Impose(file.Path, at, new byte[Block]);
                    break;
                default:
                    // Of a header's block the head counts, of others all.
                    victim.Medium.Decay(file.Path, at + random.Next(100), (byte)(1 << random.Next(8)));
                    break;
            }
        }

        if (blocks.Count == 0)
        {
            return;
        }

        note(kind, $"{victim.Id}: blocks {string.Join(' ', blocks.Select(at => at / Block))} of {file.Path}, {kind}");
    }

    /// <summary>There will be no other group in it.</summary>
    private bool NamesAll(JournalImage file) =>
        groupsInAll is { } all && nodes.SelectMany(KeysOn).Distinct().Count() == all && KeysOn(victim).All(file.Named.Contains);

    private static IEnumerable<GroupId> KeysOn(SimulatedNode node) => node.Medium.IsCrashed
        ? []
        : ((IDisk)node.Medium).List(GroupMeta.GroupsFolder).Select(folder => GroupMeta.GroupOf(folder)).OfType<GroupId>();

    private void LoseFile(JournalImage file, IReadOnlyList<(JournalImage File, JournalImage.Batch Batch)> spared)
    {
        if (spared.Any(other => other.File == file))
        {
            return;
        }

        // One that was about to be used again: the process ends, and finds another one when it comes back.
        victim.MayStop = true;
        if (random.OneIn(2))
        {
            victim.Medium.LoseOnMedium(file.Path);
            note(FaultKind.FileLost, $"{victim.Id}: {file.Path} is gone");
        }
        else
        {
            long length = random.NextInt64(file.Bytes.Length);
            victim.Medium.CutOnMedium(file.Path, length);
            note(FaultKind.FileCut, $"{victim.Id}: {file.Path} is cut from {file.Bytes.Length} to {length} bytes");
        }
    }

    /// <summary>As the medium has them, ascending; blank ones too.</summary>
    private List<JournalImage> Files()
    {
        IDisk medium = victim.Medium.DurableView();
        List<JournalImage> files = [];
        foreach (string name in medium.List(JournalFile.Folder))
        {
            if (JournalFile.TryParse(name, out long number) && victim.Medium.FileExists(JournalFile.PathOf(number)))
            {
                using IDiskFile file = medium.Open(JournalFile.PathOf(number), DiskFileMode.Existing);
                byte[] bytes = new byte[file.Length];
                file.Read(0, bytes);
                files.Add(new JournalImage(JournalFile.PathOf(number), number, bytes));
            }
        }

        return files;
    }
}
