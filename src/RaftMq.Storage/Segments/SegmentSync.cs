using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;

namespace RaftMq.Storage.Segments;

/// <summary>Makes what is written of a group's segments durable, and writes the index files of those that are sealed and whole.</summary>
internal sealed class SegmentSync(
    GroupId group, string folder, List<(Segment Segment, bool IsSealed)> segments, bool syncsNames, LogIndex upTo, GroupFiles owner)
    : DiskWork
{
    public LogIndex UpTo => upTo;

    public IReadOnlyList<(Segment Segment, bool IsSealed)> Segments => segments;

    public override void Execute(IDisk disk)
    {
        if (syncsNames)
        {
            disk.SyncFolder(folder);
        }

        foreach ((Segment segment, bool isSealed) in segments)
        {
            using (IDiskFile file = disk.Open(segment.Path, DiskFileMode.Existing))
            {
                if (!PlantedBug.SegmentMarkedBeforeSync)
                {
                    file.Sync();
                }
            }

            // A sealed segment's points do not change any more.
            if (isSealed && segment.Index is { } index)
            {
                IndexFile.Write(disk, segment.IndexPath, group, index);
            }
        }
    }

    public override void Complete() => owner.SyncDone(this, full: false);

    public override void Full(DiskFullException fault) => owner.SyncDone(this, full: true);
}
