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

    private static string OwnerOf(SafeFileHandle folder)
    {
        long handle = folder.DangerousGetHandle();
        string? path = OpenFiles.LinkTarget($"/proc/self/fd/{handle}");
        return (path is null ? null : OpenFiles.OwnerOf(target => target == path, except: handle)) ?? "another process";
    }
}
