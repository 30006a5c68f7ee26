using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Disk;

/// <summary>
/// The machine's disk below the node's data folder. Every error of the system comes out: an error that reads as "no such file" could
/// make a damaged disk look like an empty one (D-18).
/// </summary>
internal sealed class RealDisk : IDisk
{
    private static readonly EnumerationOptions EverythingHere = new()
    {
        IgnoreInaccessible = false,
        AttributesToSkip = FileAttributes.None,
        RecurseSubdirectories = false,
    };

    private readonly string _root;
    private readonly DiskMetrics _metrics;

    /// <param name="root">The data folder; must exist.</param>
    public RealDisk(string root, DiskMetrics metrics)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("RaftMq keeps its data on Linux only: elsewhere a flush does not promise durability.");
        }

        _root = Path.GetFullPath(root);
        _metrics = metrics;
    }

    public bool FileExists(string path) => AttributesOf(path) is { } attributes && !attributes.HasFlag(FileAttributes.Directory);

    public bool FolderExists(string path) => AttributesOf(path) is { } attributes && attributes.HasFlag(FileAttributes.Directory);

    public long FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(Full(folder)).AvailableFreeSpace;
        }
        catch (Exception exception) when (DiskErrors.IsFromSystem(exception))
        {
            throw DiskErrors.Fault("statvfs", folder, exception);
        }
    }

    public IReadOnlyList<string> List(string folder)
    {
        try
        {
            var names = new List<string>();
            foreach (string entry in Directory.EnumerateFileSystemEntries(Full(folder), "*", EverythingHere))
            {
                names.Add(Path.GetFileName(entry));
            }

            names.Sort(StringComparer.Ordinal);
            return names;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception exception) when (DiskErrors.IsFromSystem(exception))
        {
            throw DiskErrors.Fault("listing", folder, exception);
        }
    }

    public void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(Full(path));
        }
        catch (Exception exception) when (DiskErrors.IsFromSystem(exception))
        {
            throw DiskErrors.ClaimFault("mkdir", path, exception);
        }
    }

    public IDiskFile Open(string path, DiskFileMode mode)
    {
        try
        {
            SafeFileHandle handle = File.OpenHandle(
                Full(path), mode == DiskFileMode.CreateNew ? FileMode.CreateNew : FileMode.Open, FileAccess.ReadWrite,
                FileShare.ReadWrite | FileShare.Delete);
            return new RealDiskFile(path, Full(path), handle, _metrics);
        }
        catch (Exception exception) when (DiskErrors.IsFromSystem(exception))
        {
            throw mode == DiskFileMode.CreateNew
                ? DiskErrors.ClaimFault("open", path, exception)
                : DiskErrors.Fault("open", path, exception);
        }
    }

    public void DeleteFile(string path)
    {
        try
        {
            File.Delete(Full(path));
        }
        catch (Exception exception) when (DiskErrors.IsFromSystem(exception))
        {
            throw DiskErrors.Fault("unlink", path, exception);
        }
    }

    public void DeleteFolder(string path)
    {
        try
        {
            Directory.Delete(Full(path), recursive: true);
        }
        catch (Exception exception) when (DiskErrors.IsFromSystem(exception))
        {
            throw DiskErrors.Fault("rmdir", path, exception);
        }
    }

    /// <summary>rename(2) itself: the base library would copy where a rename is not possible, which is not atomic.</summary>
    public void Rename(string from, string to)
    {
        if (LibC.Rename(Full(from), Full(to)) != 0)
        {
            throw DiskErrors.ClaimFault("rename", $"{from} to {to}", Marshal.GetLastPInvokeError());
        }
    }

    public void SyncFolder(string path)
    {
        using SafeFileHandle folder = LibC.Open(Full(path), LibC.OpenReadOnlyFolder);
        if (folder.IsInvalid)
        {
            throw DiskErrors.Fault("open", path, Marshal.GetLastPInvokeError());
        }

        while (LibC.FSync(folder) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != LibC.Eintr)
            {
                throw DiskErrors.Fault("fsync", path, errno);
            }
        }
    }

    /// <summary>Null only when the system says that there is no such name.</summary>
    private FileAttributes? AttributesOf(string path)
    {
        try
        {
            return File.GetAttributes(Full(path));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (DiskErrors.IsFromSystem(exception))
        {
            throw DiskErrors.Fault("stat", path, exception);
        }
    }

    private string Full(string path)
    {
        Invariant.Holds(!path.StartsWith('/'));
        Invariant.Holds(!path.Split('/').Contains(".."));
        return path.Length == 0 ? _root : Path.Combine(_root, path);
    }
}
