using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RaftMq.Server.Disk;

namespace RaftMq.Server.Hosting;

/// <summary>
/// One process per data folder: a lock on the folder itself, held as long as the process lives, however it ends. No file is left in the
/// folder, which belongs to the store alone.
/// </summary>
internal sealed class DataFolderLock : IDisposable
{
    private readonly SafeFileHandle _folder;

    private DataFolderLock(SafeFileHandle folder) => _folder = folder;

    /// <exception cref="CannotStartException">The folder is in use, or can't be made or locked.</exception>
    public static DataFolderLock Take(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CannotStartException($"The data folder {path} can't be made: {exception.Message}", exception);
        }

        SafeFileHandle folder = LibC.Open(path, LibC.OpenReadOnlyFolder);
        if (folder.IsInvalid)
        {
            throw new CannotStartException($"The data folder {path} can't be opened: {LibC.Describe(Marshal.GetLastPInvokeError())}");
        }

        if (LibC.FLock(folder, LibC.LockExclusiveNow) == 0)
        {
            return new DataFolderLock(folder);
        }

        int errno = Marshal.GetLastPInvokeError();
        string sentence = errno == LibC.Eagain
            ? $"The data folder {path} is in use by {OwnerOf(folder)}."
            : $"The data folder {path} can't be locked: {LibC.Describe(errno)}";
        folder.Dispose();
        throw new CannotStartException(sentence);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The process that has the folder open, as far as this one may see; for the message only.</summary>
    private static string OwnerOf(SafeFileHandle folder)
    {
        string? target = LinkTarget($"/proc/self/fd/{folder.DangerousGetHandle()}");
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(name => char.IsAsciiDigit(Path.GetFileName(name)[0])))
        {
            int id = int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture);
            if (target is not null && HasOpen(process, target, except: id == Environment.ProcessId ? folder : null))
            {
                return $"process {id} ({CommandOf(process)})";
            }
        }

        return "another process";
    }

    private static bool HasOpen(string process, string target, SafeFileHandle? except)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(process + "/fd")
                .Any(link => LinkTarget(link) == target && Path.GetFileName(link) != except?.DangerousGetHandle().ToString());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Somebody else's, or gone meanwhile.
            return false;
        }
    }

    private static string? LinkTarget(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(process + "/cmdline").TrimEnd('\0').Replace('\0', ' ');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
