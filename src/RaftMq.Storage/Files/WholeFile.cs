namespace RaftMq.Storage.Files;

/// <summary>Small files at the top of the data folder that are there whole or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Written beside, synced, renamed, and the name synced: after a crash the file is the old one or the new one.</summary>
    public static void Replace(IDisk disk, string path, byte[] content)
    {
        string beside = path + ".new";
        if (disk.FileExists(beside))
        {
            disk.DeleteFile(beside);
        }

        using (IDiskFile file = disk.Open(beside, DiskFileMode.CreateNew))
        {
            file.Write(0, content);
            file.Sync();
        }

        disk.Rename(beside, path);
        disk.SyncFolder("");
    }
}
