using System.Globalization;

namespace RaftMq.Cli.LocalCluster;

/// <summary>
/// One <c>raftmq up</c> per folder: a lock on the file <c>up.lock</c>, which the system takes back however the process ends. Beside it
/// <c>up.owner</c> says who holds it.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    /// <summary>EAGAIN: what the base library gives as result code when flock is refused.</summary>
    private const int LockedByAnother = 11;

    private readonly FileStream file;

    private FolderLock(FileStream file) => this.file = file;

    /// <exception cref="CommandFailedException">Another process has the folder, or it can't be written.</exception>
    public static FolderLock Take(string folder)
    {
        string owner = Path.Combine(folder, "up.owner");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCodes.NoRoom, $"The data folder {folder} can't be made: {wrong.Message}");
        }

        FileStream file;
        try
        {
            // On Linux FileShare.None takes flock, exclusive and without waiting.
            file = new FileStream(Path.Combine(folder, "up.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException locked) when (locked.HResult == LockedByAnother)
        {
            throw new CommandFailedException(ExitCodes.FolderInUse, $"The data folder {folder} is in use by {OwnerIn(owner)}.");
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCodes.NoRoom, $"The data folder {folder} can't be written: {wrong.Message}");
        }

        try
        {
            File.WriteAllText(owner, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            file.Dispose();
            throw new CommandFailedException(ExitCodes.NoRoom, $"The data folder {folder} can't be written: {wrong.Message}");
        }

        return new FolderLock(file);
    }

    public void Dispose() => file.Dispose();

    private static string OwnerIn(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                ? PortOwner.DescribeProcess(id)
                : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
