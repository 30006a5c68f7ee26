using RaftMq.Storage.Files;

namespace RaftMq.Storage.Checkpoints;

/// <summary>Deletes the files of a log that an installed snapshot made void. The journal's reset says so already, so any order will do.</summary>
internal sealed class OldLogDeletion(string folder, List<string> paths) : DiskWork
{
    public override void Execute(IDisk disk)
    {
        foreach (string path in paths)
        {
            if (disk.FileExists(path))
            {
                disk.DeleteFile(path);
            }
        }

        disk.SyncFolder(folder);
    }

    public override void Complete()
    {
        // Nobody waits: a crash before leaves it to recovery.
    }
}
