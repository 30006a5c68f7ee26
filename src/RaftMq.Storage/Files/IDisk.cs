namespace RaftMq.Storage.Files;

/// <summary>
/// The one seam to the disk. Paths are relative to the node's data folder, separated by '/'. Calls do what they say before they
/// return; who calls them, on which thread and when, is the shell's (see <see cref="DiskWork"/>). What a call changed survives a
/// power cut only after the matching sync: a file's bytes and size after <see cref="IDiskFile.Sync"/>, a name (creation, rename,
/// deletion) after <see cref="SyncFolder"/> of its folder.
/// </summary>
/// <exception cref="DiskFaultException">Any call: the disk refused. The node stops (promise STOPPED).</exception>
/// <exception cref="DiskFullException">Calls that need room: there is none.</exception>
public interface IDisk
{
    bool FileExists(string path);

    bool FolderExists(string path);

    /// <summary>
    /// What the disk that holds this folder still has for the node's files; "" is the data folder itself. Others may take it at any time, and
    /// some room goes to the file system's own needs: a hint, never a promise.
    /// </summary>
    long FreeBytes(string folder);

    /// <summary>Names (not paths) of the files and folders inside, in ordinal order; empty when the folder does not exist.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>Creates the folder and its missing parents. Durable after <see cref="SyncFolder"/> of each parent.</summary>
    void CreateFolder(string path);

    /// <summary>Opens for reading and writing.</summary>
    IDiskFile Open(string path, DiskFileMode mode);

    void DeleteFile(string path);

    void DeleteFolder(string path);

    /// <summary>Renames a file, replacing the target.</summary>
    void Rename(string from, string to);

    void SyncFolder(string path);
}

public enum DiskFileMode
{
    /// <summary>The file must exist.</summary>
    Existing,

    /// <summary>The file must not exist.</summary>
    CreateNew,
}

/// <summary>An open file. One writer; readers beside it see what was written before they started.</summary>
public interface IDiskFile : IDisposable
{
    string Path { get; }

    long Length { get; }

    /// <summary>Reads up to the buffer's length; fewer only at the end of the file. Returns the count.</summary>
    int Read(long position, Span<byte> buffer);

    /// <summary>Writes all bytes, growing the file where needed.</summary>
    void Write(long position, ReadOnlySpan<byte> bytes);

    /// <summary>Writes the buffers one behind the other, as one gathered write where the system has it.</summary>
    void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers);

    /// <summary>
    /// As <see cref="Write(long, IReadOnlyList{ReadOnlyMemory{byte}})"/>, for bytes that nobody will read from the file soon because memory
    /// has them: the system's cache need not take them.
    /// </summary>
    void WriteUncached(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => Write(position, buffers);

    /// <summary>fdatasync: returns only when bytes and size are durable.</summary>
    void Sync();

    void SetLength(long length);
}
