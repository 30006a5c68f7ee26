using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Segments;

/// <summary>
/// Deletes the files of segments that retention cut, oldest first, each name's end durable before the next: a crash leaves a log
/// without a gap. Base checkpoints below the new start follow.
/// </summary>
internal sealed class SegmentDeletion(
    string folder, List<Segment> segments, List<BaseCheckpoint> bases, Action<SegmentDeletion> done) : DiskWork
{
    public LogIndex LastIndex => segments[^1].Summary.Last;

    public override void Execute(IDisk disk)
    {
        foreach (Segment segment in segments)
        {
            // One that is lost is gone already.
            if (disk.FileExists(segment.Path))
            {
                disk.DeleteFile(segment.Path);
            }

            if (disk.FileExists(segment.IndexPath))
            {
                disk.DeleteFile(segment.IndexPath);
            }

            disk.SyncFolder(folder);
        }

        foreach (BaseCheckpoint old in bases)
        {
            string path = CheckpointFile.Path(folder, CheckpointKind.Base, old.Index);
            if (disk.FileExists(path))
            {
                disk.DeleteFile(path);
            }
        }

        if (bases.Count > 0)
        {
            disk.SyncFolder(folder);
        }
    }

    public override void Complete() => done(this);
}
