using RaftMq.Storage.Files;

namespace RaftMq.Storage.Checkpoints;

/// <summary>Deletes a base that is not to be believed, so that a start finds it lost instead of whole.</summary>
internal sealed class BaseDeletion(string folder, string path) : DiskWork
{
    public override void Execute(IDisk disk)
    {
        // One that is not written yet comes later, and one that is lost is gone already.
        if (disk.FileExists(path))
        {
            disk.DeleteFile(path);
            disk.SyncFolder(folder);
        }
    }

    public override void Complete()
    {
    }
}
