using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Checkpoints;

/// <summary>Makes one checkpoint durable; of the newest kind, then removes the one before it.</summary>
internal sealed class CheckpointWrite(
    string folder, CheckpointKind kind, Checkpoint checkpoint, ICheckpointWaiter? waiter, GroupFiles owner) : DiskWork
{
    public CheckpointKind Kind => kind;

    public CheckpointHead Head => checkpoint.Head;

    public ICheckpointWaiter? Waiter => waiter;

    /// <summary>Set when the work is submitted.</summary>
    public LogIndex? Replaced { get; set; }

    /// <summary>The log that it belongs to: another one after an installed snapshot.</summary>
    public int History { get; set; }

    public override void Execute(IDisk disk)
    {
        CheckpointFile.Write(disk, folder, CheckpointFile.Path(folder, kind, Head.LastIndex), checkpoint);
        if (Replaced is { } old)
        {
            disk.DeleteFile(CheckpointFile.Path(folder, kind, old));
        }
    }

    public override void Complete() => owner.CheckpointDone(this, full: false);

    public override void Full(DiskFullException fault) => owner.CheckpointDone(this, full: true);
}
