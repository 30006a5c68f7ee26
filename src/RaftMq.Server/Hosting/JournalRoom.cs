using RaftMq.Broker.Environment;
using RaftMq.Server.Configuration;

namespace RaftMq.Server.Hosting;

/// <summary>Whether the disk has room for the journal as large as it may become. Segments need room besides; only the journal has a size that is known.</summary>
internal static class JournalRoom
{
    private const string JournalFolder = "journal";
    private const string Setting = "journal.total.bytes";

    /// <param name="options">Of the node; its data folder exists.</param>
    /// <param name="freeBytes">Free room on the disk of a folder.</param>
    /// <returns>What the operator is told; null where there is room, or nobody can say.</returns>
    public static NodeEvent? Look(ServerOptions options, Func<string, long> freeBytes)
    {
        try
        {
            // It may be a disk of its own.
            string journal = Path.GetFullPath(Path.Combine(options.DataFolder, JournalFolder));
            bool exists = Directory.Exists(journal);
            long has = exists ? new DirectoryInfo(journal).EnumerateFiles().Sum(file => file.Length) : 0;
            return Judge(options.Journal.TotalBytes, freeBytes(exists ? journal : Path.GetFullPath(options.DataFolder)), has);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Who can't read the folder is told so by the start itself.
            return null;
        }
    }

    public static long FreeBytesOf(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    private static NodeEvent? Judge(long totalBytes, long freeBytes, long journalBytes) => totalBytes <= freeBytes + journalBytes
        ? null
        : new NodeEvent(
            NodeEventKind.JournalAboveDisk,
            $"{Setting} is {MiB(totalBytes)}, but the journal finds room for {MiB(freeBytes + journalBytes)} only ({MiB(freeBytes)} free on its disk, "
            + $"{MiB(journalBytes)} that it has already): once the disk is full, producers of the partitions that this node leads wait or are refused "
            + $"until there is room; make some, or lower {Setting}.",
            [("totalBytes", totalBytes), ("freeBytes", freeBytes), ("journalBytes", journalBytes)]);

    private static string MiB(long bytes) => $"{bytes >> 20} MiB";
}
