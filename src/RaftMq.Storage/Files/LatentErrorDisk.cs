namespace RaftMq.Storage.Files;

/// <summary>
/// The disk with files of groups whose blocks may have become unreadable where they lie (latent sector errors, the commonest way in which disks fail). A
/// read that finds such a block gets bytes in its place that no format takes for its own: what lies there is damaged, and found and mended like all
/// damage (promise DETECTED), instead of ending the node again and again at the same place. Whatever else may be read is read, block by block, so that a
/// fault that passes costs nothing. Of other files, the journal above all, nobody else has a copy: there a failed read stops the node, as a failed write does
/// (docs/decisions/0020).
/// </summary>
/// <param name="disk">The disk itself.</param>
/// <param name="unreadable">Told of each such block each time that it is read; on whatever thread reads.</param>
public sealed class LatentErrorDisk(IDisk disk, Action<UnreadableBlock> unreadable) : IDisk
{
    /// <summary>What is read at a time where a larger read failed; no smaller than what a disk loses at a time.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Unlike zeros it is not what a file holds where nothing was written yet, and no header of any format begins with it.</summary>
    private const byte Filling = 0xDB;
    private const string Mended = "groups/";

    public bool FileExists(string path) => disk.FileExists(path);

    public bool FolderExists(string path) => disk.FolderExists(path);

    public long FreeBytes(string folder) => disk.FreeBytes(folder);

    public IReadOnlyList<string> List(string folder) => disk.List(folder);

    public void CreateFolder(string path) => disk.CreateFolder(path);

    public IDiskFile Open(string path, DiskFileMode mode)
    {
        IDiskFile file = disk.Open(path, mode);
        return path.StartsWith(Mended, StringComparison.Ordinal) && !PlantedBug.ReadErrorEndsNode ? new MendedFile(file, unreadable) : file;
    }

    public void DeleteFile(string path) => disk.DeleteFile(path);

    public void DeleteFolder(string path) => disk.DeleteFolder(path);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void SyncFolder(string path) => disk.SyncFolder(path);

    private sealed class MendedFile(IDiskFile file, Action<UnreadableBlock> unreadable) : IDiskFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public int Read(long position, Span<byte> buffer)
        {
            try
            {
                return file.Read(position, buffer);
            }
            catch (UnreadableException)
            {
                return ReadBlocks(position, buffer);
            }
        }

        public void Write(long position, ReadOnlySpan<byte> bytes) => file.Write(position, bytes);

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => file.Write(position, buffers);

        public void WriteUncached(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => file.WriteUncached(position, buffers);

        public void Sync() => file.Sync();

        public void SetLength(long length) => file.SetLength(length);

        public void Dispose() => file.Dispose();

        private int ReadBlocks(long position, Span<byte> buffer)
        {
            int count = (int)Math.Clamp(file.Length - position, 0, buffer.Length);
            for (int done = 0; done < count;)
            {
                long at = position + done;
                int piece = (int)Math.Min(BlockBytes - (at % BlockBytes), count - done);
                Span<byte> into = buffer.Slice(done, piece);
                try
                {
                    if (file.Read(at, into) < piece)
                    {
                        throw new DiskFaultException($"read of {Path} failed: it became shorter meanwhile");
                    }
                }
                catch (UnreadableException fault)
                {
                    unreadable(new UnreadableBlock(Path, at, fault.Message));
                    into.Fill(Filling);
                }

                done += piece;
            }

            return count;
        }
    }
}

/// <summary>A block of a file that the disk does not give back.</summary>
/// <param name="Path">The file, in the data folder.</param>
/// <param name="Position">Where in the file.</param>
/// <param name="Fault">What the system said.</param>
public sealed record UnreadableBlock(string Path, long Position, string Fault);
