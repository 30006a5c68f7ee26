using System.Runtime.InteropServices;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>The last step of recovery: a new file of a new generation, its first batch durable.</summary>
internal sealed class NewGeneration(
    JournalOptions options, StoreId store, JournalLineage lineage, JournalWalk walk, JournalLedger ledger, JournalMarkFile markFile)
{
    private readonly JournalBatch _batch = new(_ => { });

    /// <summary>
    /// Files below this number are what is left of something that was lost and is not made up for: they are neither needed for a start nor used
    /// again.
    /// </summary>
    private readonly long _keptBelow = ledger.KeptBelowFile;

    /// <param name="needed">The files that were read; those that hold nothing needed are let go.</param>
    /// <param name="number">The new file's: greater than any in the folder.</param>
    public JournalStart Open(IDisk disk, List<JournalFile> needed, long number)
    {
        bool isRewritten = walk.Last is not null && walk.DurableUpTo < walk.End && !PlantedBug.LastBatchNotWrittenAnew;
        FoundBatch? replaced = walk.Damaged == 0 && _keptBelow == 0 ? walk.Replaceable : null;
        Probe.ReachedWhen(isRewritten, RareBranch.LastBatchWrittenAnew);
        Probe.ReachedWhen(replaced is not null, RareBranch.GenerationReplaced);
        int tableBytes = ledger.AddStates(_batch.Rows, opensGeneration: true);
        int bodyBytes = isRewritten ? AddLastBatch(ref tableBytes) : 0;
        int headerBytes = BatchLayout.HeaderBytes(BatchLayout.Blocks(bodyBytes), tableBytes);
        long batchBytes = BatchLayout.BatchBytes(headerBytes, BatchLayout.Blocks(bodyBytes));
        long sizeBytes = Math.Max(options.FileBytes, batchBytes + (options.FileBytes / 2 / BatchLayout.BlockBytes * BatchLayout.BlockBytes));

        // One file number is used by one run only, so nothing that an earlier run left in a file can be taken for this one's.
        List<FreeFile> free = SafelyFree(needed);
        string? recycles = free.Count > 0 ? free[0].Path : null;
        JournalFile file = Prepare(disk, number, sizeBytes, recycles)
            ?? Prepare(disk, number, batchBytes + options.LeastBytesBehindOpening, disk.FileExists(JournalFile.PathOf(number)) ? JournalFile.PathOf(number) : recycles)
            ?? throw new DiskFullException($"{JournalFile.PathOf(number)} finds no room for {batchBytes + options.LeastBytesBehindOpening} bytes");
        HoldInNewFile(file);
        needed.ForEach(old => old.IsKept &= old.Number < _keptBelow);
        long firstNeeded = needed.Find(old => old.NeededRuns > 0)?.Number ?? file.Number;

        _batch.Place(file, Header(file, Cut(isRewritten, replaced), headerBytes, bodyBytes, firstNeeded));
        _batch.Execute(disk);

        // From here on the node may say what this batch holds, so a start without it must notice.
        markFile.Write(disk, new JournalMark(file.Number, file.Number));

        file.UsedBytes = batchBytes;
        needed.RemoveAll(old => old.Number < firstNeeded || old.Number == replaced?.Header.FileNumber);
        needed.Add(file);
        return new JournalStart
        {
            Store = store,
            Ledger = ledger,
            Files = needed,
            Free = FreeNow(firstNeeded, recycles, replaced),
            Opening = _batch.Header,
            OpeningHash = _batch.Hash,
            MarkFile = markFile,
            Report = new JournalRecoveryReport(
                walk.Last is null, _batch.Header.Generation, walk.Batches, walk.Mended, walk.Damaged, walk.CutBytes, bodyBytes),
        };
    }

    /// <summary>Null when there is no room for a file of that size.</summary>
    private JournalFile? Prepare(IDisk disk, long number, long sizeBytes, string? recycles)
    {
        JournalFile file = new(number, lineage.PositionMax, sizeBytes);
        try
        {
            new FilePreparation(file, recycles, _ => { }, _ => { }).Execute(disk);
            return file;
        }
        catch (DiskFullException)
        {
            Probe.Reached(RareBranch.OpenedWithoutRoom);
            return null;
        }
    }

    private BatchHeader Header(JournalFile file, in GenerationCut cut, int headerBytes, int bodyBytes, long firstNeeded) =>
        new(
            BatchFlags.OpensFile | BatchFlags.OpensGeneration,
            store,
            lineage.GenerationMax + 1,
            file.Number,
            file.SizeBytes,
            FileOffset: 0,
            file.BasePosition,
            walk.Sequence + 1,
            walk.Hash,
            cut.From,
            firstNeeded,
            headerBytes,
            bodyBytes,
            _batch.Rows.Count,
            ParityChecksum: 0,
            cut);

    /// <summary>Where the last batch is written anew, or the last generation replaced, the chain is cut before it.</summary>
    private GenerationCut Cut(bool isRewritten, FoundBatch? replaced)
    {
        if (replaced is not null)
        {
            GenerationCut before = replaced.Header.Cut;
            return new GenerationCut(walk.Generation, before.From, walk.End, before.HashAtFrom, walk.Hash);
        }

        if (!isRewritten)
        {
            return new GenerationCut(walk.Generation, walk.DurableUpTo, walk.End, walk.Hash, walk.Hash);
        }

        BatchHeader last = walk.Last!.Header;
        Invariant.Holds(walk.DurableUpTo == last.DurableUpTo);
        ulong hashAtFrom = last.OpensGeneration ? last.Cut.HashAtFrom : last.PreviousHash;
        return new GenerationCut(walk.Generation, walk.DurableUpTo, walk.End, hashAtFrom, walk.Hash);
    }

    /// <summary>D is never before the last batch's predecessor's end, since its own header says so: one batch is all there is to write anew.</summary>
    private int AddLastBatch(ref int tableBytes)
    {
        // Only a whole batch can be the last one: behind a damaged one there is proof that it was durable.
        Invariant.Holds(walk.LastBody is not null);
        int bodyBytes = 0;
        int at = 0;
        foreach (BatchRow found in walk.Last!.Rows())
        {
            ReadOnlyMemory<byte> entries = walk.LastBody.Value.Slice(at, found.EntryBytes);
            at += found.EntryBytes;
            if (found.Has(RowParts.State))
            {
                continue;
            }

            BatchRow row = AsNow(found);
            if (row.IsEmpty)
            {
                continue;
            }

            _batch.Rows.Add(row);
            tableBytes += row.Bytes;
            if (row.EntryBytes > 0)
            {
                _batch.Pieces.Add(entries);
                bodyBytes += row.EntryBytes;
            }
        }

        return bodyBytes;
    }

    /// <summary>
    /// The row as it holds behind this start's states, which come before it: these say what is lost of the group and where its log is cut for
    /// that, with what this start found, and no older word on either may follow.
    /// </summary>
    private BatchRow AsNow(in BatchRow found)
    {
        GroupLedger? group = ledger.Find(found.Group);
        if (group is { Deleted: true })
        {
            // That it ended is all there is to say, by a row of its own or by what a state left out.
            return found.WithoutEntries() with { Parts = found.Parts & RowParts.Deleted };
        }

        RowParts older = RowParts.Damaged
            | (group?.Damage is null ? RowParts.None : RowParts.Healed)
            | (group?.CutFrom is null ? RowParts.None : RowParts.Cut);
        BatchRow row = IsCut(found) ? found.WithoutEntries() : found;
        return PlantedBug.OlderWordOnLossKept ? row : row with { Parts = row.Parts & ~older };
    }

    /// <summary>Its entries stand behind some that are lost.</summary>
    private bool IsCut(in BatchRow row) =>
        row.Has(RowParts.Entries) && ledger.Find(row.Group)?.CutFrom is { } from && row.FirstIndex >= from;

    /// <summary>
    /// The ledger has the last batch applied already, and applying it once more would not give the same: it may hold entries that it
    /// replaces itself further on. Each row of entries replaced everything behind its first one, so all that the group has from the
    /// least of these firsts on is from this batch.
    /// </summary>
    private void HoldInNewFile(JournalFile file)
    {
        ledger.NamedBy(file);
        SortedDictionary<GroupId, LogIndex> carried = [];
        foreach (ref readonly BatchRow row in CollectionsMarshal.AsSpan(_batch.Rows))
        {
            if (row.Has(RowParts.State))
            {
                continue;
            }

            ledger.GetOrAdd(row.Group).NewestFile = file;
            if (row.Has(RowParts.Reset))
            {
                carried.Remove(row.Group);
            }

            if (row.Has(RowParts.Entries))
            {
                carried[row.Group] = carried.TryGetValue(row.Group, out LogIndex first) ? LogIndex.Min(first, row.FirstIndex) : row.FirstIndex;
            }
        }

        foreach ((GroupId group, LogIndex first) in carried)
        {
            ledger.GetOrAdd(group).Carry(first, file);
        }
    }

    /// <summary>
    /// Files that may lose name and content before the new generation is durable: blank ones that are newer than all that counts, and
    /// what was free by the word of a batch that is itself durable.
    /// </summary>
    private List<FreeFile> SafelyFree(List<JournalFile> needed)
    {
        long newest = lineage.Files.Count == 0 ? 0 : lineage.Files[^1].Reader.Number;
        List<FreeFile> free = lineage.Blank.FindAll(blank => blank.Number > newest);
        bool lastIsDurable = walk.DurableUpTo >= walk.End;
        long firstNeeded = lastIsDurable ? walk.Last?.Header.FirstNeededFile ?? 0 : walk.FirstNeededBeforeLast;
        foreach (LineageFile file in lineage.Files)
        {
            long number = file.Reader.Number;
            if (number < firstNeeded && number >= _keptBelow && !needed.Exists(old => old.Number == number))
            {
                free.Add(new FreeFile(JournalFile.PathOf(number), number));
            }
        }

        // A crash before the next mark would make a start miss it.
        Invariant.Holds(!free.Exists(file => file.Path == JournalFile.PathOf(markFile.Mark.NewestFile)));
        return free;
    }

    /// <summary>What is free now that the new generation is durable.</summary>
    private List<FreeFile> FreeNow(long firstNeeded, string? recycled, FoundBatch? replaced)
    {
        long newest = lineage.Files.Count == 0 ? 0 : lineage.Files[^1].Reader.Number;
        List<FreeFile> free =
        [
            .. lineage.Files.Where(file => file.Reader.Number < firstNeeded && file.Reader.Number >= _keptBelow)
                .Select(file => new FreeFile(JournalFile.PathOf(file.Reader.Number), file.Reader.Number)),
        ];

        if (replaced is not null && replaced.Header.FileNumber >= firstNeeded)
        {
            free.Add(new FreeFile(JournalFile.PathOf(replaced.Header.FileNumber), Number: 0));
        }

        // A blank file among those that count is the remains of a damaged one; number 0 is below any needed file.
        free.AddRange(lineage.Blank.Where(blank => blank.Number > newest || blank.Number < firstNeeded)
            .Concat(lineage.Void)
            .Select(file => file with { Number = 0 }));
        free.RemoveAll(file => file.Path == recycled);
        return free;
    }
}
