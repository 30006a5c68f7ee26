using RaftMq.Storage.Files;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Checkpoints;

/// <summary>
/// The reset is durable: what was received is the new log's base from here on. Recovery does the same after a crash. Without room for the name it is
/// tried again.
/// </summary>
internal sealed class InstallRename(string folder, BaseCheckpoint installed, GroupFiles owner) : DiskWork
{
    public override void Execute(IDisk disk)
    {
        disk.Rename(
            CheckpointFile.InstallPath(folder, installed.Index), CheckpointFile.Path(folder, CheckpointKind.Base, installed.Index));
        disk.SyncFolder(folder);
    }

    public override void Complete()
    {
        installed.IsDurable = true;
        owner.InstallHasRoom();
    }

    public override void Full(DiskFullException fault) => owner.InstallHasNoRoom(this);
}
