using System.Runtime.InteropServices;
using RaftMq.Storage.Files;

namespace RaftMq.Cli.Doctor;

/// <summary>
/// The data folder of a node that does not run, for reading: nothing in it is changed, and no node starts on it while this is open, as a node locks the
/// folder itself. Reads are counted.
/// </summary>
internal sealed class StoppedFolder : IDisk, IDisposable
{
    private const int ReadOnlyFolder = 0x10000;
    private const int CloseOnExec = 0x80000;
    private const int LockExclusiveNow = 2 | 4;
    private const int TriedAgain = 11;
    private const int NotPermitted = 13;

    private readonly string root;
    private readonly int handle;
    private readonly CancellationToken cancellation;

    private StoppedFolder(string root, int handle, CancellationToken cancellation) =>
        (this.root, this.handle, this.cancellation) = (root, handle, cancellation);

    /// <summary>Bytes that were read so far.</summary>
    public long BytesRead { get; private set; }

    /// <exception cref="CommandFailedException">It can't be read, or a node runs on it.</exception>
    public static StoppedFolder Open(string folder, CancellationToken cancellation)
    {
        string root = Path.GetFullPath(folder);
        if (!Directory.Exists(root))
        {
            throw new CommandFailedException(
                ExitCodes.Usage, File.Exists(root) ? $"{folder} is a file and no data folder." : $"There is no folder {folder}, or no right to look for it.");
        }

        int handle = open(root, ReadOnlyFolder | CloseOnExec);
        if (handle < 0)
        {
            throw NotReadable(folder, Marshal.GetLastPInvokeError() == NotPermitted ? "there is no right to" : Marshal.GetLastPInvokeErrorMessage());
        }

        if (flock(handle, LockExclusiveNow) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            _ = close(handle);
            throw error == TriedAgain
                ? new CommandFailedException(
                    ExitCodes.FolderInUse, $"A node runs on {folder}: stop it first. Of a running node raftmq cluster status tells what is damaged.")
                : NotReadable(folder, $"it can't be locked: {Marshal.GetPInvokeErrorMessage(error)}");
        }

        return new StoppedFolder(root, handle, cancellation);
    }

    public void Dispose() => _ = close(handle);

    public bool FileExists(string path) => Asked(path, () => AttributesOf(path) is { } found && !found.HasFlag(FileAttributes.Directory));

    public bool FolderExists(string path) => Asked(path, () => AttributesOf(path) is { } found && found.HasFlag(FileAttributes.Directory));

    public long FreeBytes(string folder) => 0;

    public IReadOnlyList<string> List(string folder) => Asked(folder, () =>
    {
        string full = Full(folder);
        return AttributesOf(folder) is null
            ? []
            : (IReadOnlyList<string>)[.. Directory.EnumerateFileSystemEntries(full, "*", new EnumerationOptions { IgnoreInaccessible = false, AttributesToSkip = FileAttributes.None })
                .Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal)];
    });

    public IDiskFile Open(string path, DiskFileMode mode) => mode == DiskFileMode.Existing
        ? Asked(path, () => new StoppedFile(this, path, File.OpenHandle(
            Full(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan)))
        : throw ReadOnly();

    public void CreateFolder(string path) => throw ReadOnly();

    public void DeleteFile(string path) => throw ReadOnly();

    public void DeleteFolder(string path) => throw ReadOnly();

    public void Rename(string from, string to) => throw ReadOnly();

    public void SyncFolder(string path) => throw ReadOnly();

    private static NotSupportedException ReadOnly() => new("The folder is only read.");

    private static CommandFailedException NotReadable(string what, string why) =>
        new(ExitCodes.NoRoom, $"{what} can't be read: {why.TrimEnd('.')}. Run this as the user that the node runs as.");

    /// <summary>What the system refuses for want of rights ends the command; what the disk does not give is found of the file.</summary>
    private static T Asked<T>(string path, Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (UnauthorizedAccessException refused)
        {
            throw NotReadable(path.Length == 0 ? "The data folder" : path, refused.Message);
        }
        catch (IOException fault) when (fault is not DiskFaultException)
        {
            throw new DiskFaultException($"the system says of {path}: {fault.Message}", fault);
        }
    }

    private FileAttributes? AttributesOf(string path)
    {
        try
        {
            return File.GetAttributes(Full(path));
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string Full(string path) => path.Length == 0 ? root : Path.Combine(root, path);

    // Not LibraryImport: its generated code is unsafe, which only projects with a disk or sockets of their own allow. The base library opens no folders.
#pragma warning disable SYSLIB1054, CA5392, CA2101
    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    private static extern int flock(int file, int operation);

    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    private static extern int close(int file);
#pragma warning restore SYSLIB1054, CA5392, CA2101

    private sealed class StoppedFile(StoppedFolder folder, string path, Microsoft.Win32.SafeHandles.SafeFileHandle file) : IDiskFile
    {
        public string Path => path;

        public long Length => Asked(path, () => RandomAccess.GetLength(file));

        public int Read(long position, Span<byte> buffer)
        {
            folder.cancellation.ThrowIfCancellationRequested();
            int total = 0;
            try
            {
                while (total < buffer.Length && RandomAccess.Read(file, buffer[total..], position + total) is var read and > 0)
                {
                    total += read;
                }
            }
            catch (IOException fault)
            {
                throw new DiskFaultException($"the system says of {path} at {position + total}: {fault.Message}", fault);
            }

            folder.BytesRead += total;
            return total;
        }

        public void Write(long position, ReadOnlySpan<byte> bytes) => throw ReadOnly();

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => throw ReadOnly();

        public void Sync() => throw ReadOnly();

        public void SetLength(long length) => throw ReadOnly();

        public void Dispose() => file.Dispose();
    }
}
