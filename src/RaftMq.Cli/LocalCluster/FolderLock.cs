using System.Globalization;

namespace RaftMq.Cli.LocalCluster;

/// <summary>
/// One <c>raftmq up</c> per folder: a lock on the file <c>up.lock</c>, which the system takes back however the process ends. Beside it
/// <c>up.owner</c> says who holds it. Folders made for it go again with it, unless <see cref="Keep"/> said that they are used.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    /// <summary>EAGAIN: what the base library gives as result code when flock is refused.</summary>
    private const int LockedByAnother = 11;

    private readonly FileStream file;
    private readonly string folder;

    /// <summary>Those that were not there before, the innermost first.</summary>
    private readonly IReadOnlyList<string> made;
    private bool kept;

    private FolderLock(FileStream file, string folder, IReadOnlyList<string> made)
    {
        this.file = file;
        this.folder = folder;
        this.made = made;
    }

    /// <exception cref="CommandFailedException">Another process has the folder, or it can't be written.</exception>
    public static FolderLock Take(string folder)
    {
        string owner = OwnerFile(folder);
        List<string> made = [];
        for (string? outer = Path.GetFullPath(folder); outer is not null && !Directory.Exists(outer); outer = Path.GetDirectoryName(outer))
        {
            made.Add(outer);
        }

        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCodes.NoRoom, $"The data folder {folder} can't be made: {WhyNotMade(folder, wrong).TrimEnd('.')}.");
        }

        FileStream file;
        try
        {
            // On Linux FileShare.None takes flock, exclusive and without waiting.
            file = new FileStream(LockFile(folder), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
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

        return new FolderLock(file, folder, made);
    }

    /// <summary>From here on something of worth may lie in the folder: it stays.</summary>
    public void Keep() => kept = true;

    public void Dispose()
    {
        if (!kept && made.Count > 0)
        {
            TakeAway();
        }

        file.Dispose();
    }

    /// <summary>Where the system makes no folders, as in /proc, the base library says that a file could not be found.</summary>
    private static string WhyNotMade(string folder, Exception wrong)
    {
        string there = Path.GetFullPath(folder);
        while (!Path.Exists(there))
        {
            there = Path.GetDirectoryName(there)!;
        }

        return File.Exists(there) ? $"{there} is a file"
            : wrong is UnauthorizedAccessException ? $"there is no right to write in {there}"
            : wrong is FileNotFoundException or DirectoryNotFoundException ? $"the system does not make a folder in {there}"
            : wrong.Message;
    }

    private static string LockFile(string folder) => Path.Combine(folder, "up.lock");

    private static string OwnerFile(string folder) => Path.Combine(folder, "up.owner");

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

    /// <summary>While the lock is held, so that nobody else begins here meanwhile.</summary>
    private void TakeAway()
    {
        try
        {
            File.Delete(OwnerFile(folder));
            File.Delete(LockFile(folder));
            foreach (string empty in made)
            {
                Directory.Delete(empty);
            }
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            // Something else lies in it by now: it is not ours alone.
        }
    }
}
