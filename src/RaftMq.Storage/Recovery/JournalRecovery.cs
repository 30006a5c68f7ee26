using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// From whatever lies in the folder to a living journal (design 4, Restart). In this order, and nothing leaves the node before the end:
/// 1. find the files that count (<see cref="JournalLineage"/>), and refuse where the mark beside the journal names one that is gone;
/// 2. follow the chain from the first needed file to the end, telling the groups what it holds (<see cref="JournalWalk"/>);
/// 3. open a file of a new generation whose first batch, fsynced, says where the old one ends and writes anew everything that is not
///    known to be durable: a killed process leaves bytes in the page cache that a power cut would still take.
/// A crash anywhere in between repeats the same steps: until that batch is durable nothing that counts was changed.
/// </summary>
public static class JournalRecovery
{
    /// <param name="mayBeNew">
    /// Nothing in the data folder was ever written after a start. A start ends with a batch in the journal, so otherwise there is one, or the
    /// journal is lost; and with it votes and acknowledged entries, so that the node must not come back.
    /// </param>
    /// <exception cref="JournalRefusedException">The journal belongs to another data folder, or is lost.</exception>
    /// <exception cref="DiskFaultException">A read, write or sync failed.</exception>
    /// <exception cref="DiskFullException">No room for the first file of this run.</exception>
    public static NodeJournal Open(
        IDisk disk, JournalOptions options, StoreId store, IJournalReplay replay, IDiskQueue queue, IJournalOwner owner,
        bool mayBeNew = true)
    {
        Invariant.Holds(options.Faults().Count == 0);
        disk.CreateFolder(JournalFile.Folder);
        disk.SyncFolder("");

        // A killed run may have left a rename undone on the disk; no second one is built on it.
        disk.SyncFolder(JournalFile.Folder);
        List<JournalFileReader> readers = [];
        try
        {
            OpenReaders(disk, store, readers);
            return new NodeJournal(options, Recover(disk, options, store, replay, readers, mayBeNew), queue, owner);
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    /// <summary>
    /// Steps 1 and 2 alone, on a disk that may be written to and is thrown away: what a start would find and tell the groups. What would make it
    /// refuse is said, and the rest is read all the same.
    /// </summary>
    internal static JournalExamination Examine(IDisk disk, StoreId store, IJournalReplay replay, IJournalWitness witness, bool mayBeNew)
    {
        List<JournalFileReader> readers = [];
        JournalLineage lineage = new();
        JournalLedger ledger = new();
        ReplaySink sink = new(ledger, replay);
        JournalWalk walk = new(sink, witness);
        List<JournalFile> files = [];
        List<string> refusals = [];
        long keptBelow = 0;
        try
        {
            OpenReaders(disk, store, readers);
            Refusing(() => lineage = JournalLineage.Of(readers));
            Refusing(() => RequireAll(disk, store, lineage, readers, mayBeNew));
            Refusing(() => files = Follow(lineage, walk));
            Refusing(walk.Finish);
            keptBelow = ledger.KeptBelowFile;
            Refusing(() => sink.End(keptBelowFile: long.MaxValue));
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }

        return new JournalExamination(lineage, files, walk.DurableUpTo, keptBelow, refusals);

        void Refusing(Action step)
        {
            try
            {
                step();
            }
            catch (JournalRefusedException refused) when (!refusals.Contains(refused.Message))
            {
                refusals.Add(refused.Message);
            }
            catch (JournalRefusedException)
            {
                // Said already.
            }
        }
    }

    private static void OpenReaders(IDisk disk, StoreId store, List<JournalFileReader> into)
    {
        byte[] scratch = GC.AllocateUninitializedArray<byte>(JournalFileReader.ScratchBytes);
        foreach (string name in disk.List(JournalFile.Folder))
        {
            if (JournalFile.TryParse(name, out long number))
            {
                into.Add(new JournalFileReader(
                    disk.Open(JournalFile.PathOf(number), DiskFileMode.Existing), number, store, scratch));
            }
        }
    }

    private static JournalStart Recover(
        IDisk disk, JournalOptions options, StoreId store, IJournalReplay replay, List<JournalFileReader> readers, bool mayBeNew)
    {
        JournalLineage lineage = JournalLineage.Of(readers);
        JournalMarkFile markFile = RequireAll(disk, store, lineage, readers, mayBeNew);
        JournalLedger ledger = new();
        ReplaySink sink = new(ledger, replay);
        JournalWalk walk = new(sink, NoWitness.Instance);
        List<JournalFile> files = Follow(lineage, walk);
        long number = (readers.Count == 0 ? 0 : readers[^1].Number) + 1;
        walk.Finish();
        sink.End(keptBelowFile: number);
        NewGeneration opening = new(options, store, lineage, walk, ledger, markFile);
        return opening.Open(disk, files, number);
    }

    /// <summary>Every file that may hold what this node has said to others is there; else the node must not come back.</summary>
    private static JournalMarkFile RequireAll(
        IDisk disk, StoreId store, JournalLineage lineage, List<JournalFileReader> readers, bool mayBeNew)
    {
        if (lineage.NewestReadable == 0 && !mayBeNew)
        {
            throw Lost("The journal of this data folder is lost: there are partitions, but no file under journal holds anything readable");
        }

        if (!JournalMarkFile.Exists(disk))
        {
            return lineage.NewestReadable == 0
                ? JournalMarkFile.Create(disk, store)
                : throw Lost($"The file '{JournalMarkFile.Path}' of the data folder is lost, which says which files the journal has");
        }

        JournalMarkFile markFile = JournalMarkFile.TryOpen(disk, store)
            ?? throw Lost($"The file '{JournalMarkFile.Path}' of the data folder is damaged in both its copies, or of another folder");
        (long opened, long newest) = markFile.Mark;
        if (newest > 0 && !readers.Exists(reader => reader.Number == newest))
        {
            throw Lost($"The journal's newest file {JournalFile.PathOf(newest)} is lost");
        }

        if (lineage.NewestReadable < opened)
        {
            throw Lost($"The journal file {JournalFile.PathOf(opened)} is lost or holds nothing readable");
        }

        // A file without a batch of its own holds nothing and may get another name before the next mark: this one must not miss it. Also, a killed
        // run may have written what was read here without living to sync it.
        markFile.Write(disk, new JournalMark(opened, lineage.NewestReadable));
        return markFile;
    }

    private static JournalRefusedException Lost(string what) => new(
        $"{what}. With it went votes and acknowledged records of this node. Bring it back as it was when the node stopped (is the right volume "
        + "mounted?), not from an older backup; without it the node has to stay out, and the others go on without it.");

    private static List<JournalFile> Follow(JournalLineage lineage, JournalWalk walk)
    {
        List<JournalFile> files = [];
        if (lineage.Files.Count == 0)
        {
            return files;
        }

        long firstNeeded = FirstNeededFile(lineage.Files[^1].Reader);
        int first = lineage.Files.FindIndex(file => file.Reader.Number >= firstNeeded);
        if (first < 0)
        {
            throw Lost($"The journal says that it needs {JournalFile.PathOf(firstNeeded)} and those behind it, and there is none");
        }

        if (lineage.Files[first].Reader.Number != firstNeeded)
        {
            walk.Missing(firstNeeded, $"{JournalFile.PathOf(firstNeeded)} is missing or holds nothing readable, and is still needed");
        }

        for (int i = first; i < lineage.Files.Count; i++)
        {
            LineageFile file = lineage.Files[i];
            JournalFile asFile = new(file.Reader.Number, file.BasePosition, file.Reader.Length);
            files.Add(asFile);
            walk.Follow(file, asFile, i + 1 < lineage.Files.Count ? lineage.Files[i + 1] : null);
        }

        files.RemoveAll(file => file.UsedBytes == 0);
        return files;
    }

    /// <summary>As the newest header says it. What it says was durable before it was written, so the batch itself need not be.</summary>
    private static long FirstNeededFile(JournalFileReader newest)
    {
        long firstNeeded = 0;
        long at = 0;
        while (newest.FindFrom(at) is { } found)
        {
            firstNeeded = Math.Max(firstNeeded, found.Header.FirstNeededFile);
            at = found.Header.FileEnd;
        }

        return firstNeeded;
    }
}
