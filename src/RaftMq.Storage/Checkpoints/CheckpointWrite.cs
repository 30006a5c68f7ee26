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
        // One that is lost is gone already.
        if (Replaced is { } old && CheckpointFile.Path(folder, kind, old) is var replaced && disk.FileExists(replaced))
        {
            disk.DeleteFile(replaced);
        }
    }

    public override void Complete() => owner.CheckpointDone(this, full: false);

    public override void Full(DiskFullException fault)
    {
        if (PlantedBug.EnospcEndsNode && fault is not null)
        {
            base.Full(fault);
        }

        owner.CheckpointDone(this, full: true);
    }
}
