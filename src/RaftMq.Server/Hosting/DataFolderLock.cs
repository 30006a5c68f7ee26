using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RaftMq.Server.Disk;

namespace RaftMq.Server.Hosting;

/// <summary>
/// One process per data folder: a lock on the file <c>lock</c>, held as long as the process lives, however it ends. Beside it
/// <c>lock.owner</c> says who holds it, for the message to the second one.
/// </summary>
internal sealed class DataFolderLock : IDisposable
{
    public const string LockFile = "lock";
    public const string OwnerFile = "lock.owner";

    private readonly SafeFileHandle _file;

    private DataFolderLock(SafeFileHandle file) => _file = file;

    /// <exception cref="CannotStartException">The folder is in use, or can't be made or locked.</exception>
    public static DataFolderLock Take(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CannotStartException($"The data folder {folder} can't be made: {exception.Message}", exception);
        }

        SafeFileHandle file = LibC.Open(Path.Combine(folder, LockFile), LibC.OpenLockFile);
        if (file.IsInvalid)
        {
            throw new CannotStartException(
                $"The data folder {folder} can't be locked: {LibC.Describe(Marshal.GetLastPInvokeError())}");
        }

        if (LibC.FLock(file, LibC.LockExclusiveNow) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            file.Dispose();
            throw new CannotStartException(
                errno == LibC.Eagain
                    ? $"The data folder {folder} is in use by {OwnerOf(folder)}."
                    : $"The data folder {folder} can't be locked: {LibC.Describe(errno)}");
        }

        File.WriteAllText(
            Path.Combine(folder, OwnerFile), string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId}"));
        return new DataFolderLock(file);
    }

    public void Dispose() => _file.Dispose();

    private static string OwnerOf(string folder)
    {
        try
        {
            string owner = File.ReadAllText(Path.Combine(folder, OwnerFile)).Trim();
            return owner.Length > 0 ? owner : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
