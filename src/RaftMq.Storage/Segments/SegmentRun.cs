using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;

namespace RaftMq.Storage.Segments;

/// <summary>
/// Writes committed entries out of the tail's memory to the end of a segment, as one gathered write. Not synced: the journal holds
/// them until the segment is. Written again at the same place when there was no room.
/// </summary>
internal sealed class SegmentRun(
    string folder, string path, bool createsFile, long position, List<ReadOnlyMemory<byte>> buffers, LogIndex last, GroupFiles owner)
    : DiskWork
{
    public LogIndex Last => last;

    /// <summary>Not null when the run begins a new segment.</summary>
    public required SegmentSummary? NewSegment { get; init; }

    /// <summary>The name of the segment before may not be durable (<see cref="Segment.NameMayBeLost"/>).</summary>
    public bool SyncsNamesFirst { get; init; }

    public override void Execute(IDisk disk)
    {
        if (SyncsNamesFirst)
        {
            disk.SyncFolder(folder);
        }

        // A file of that name is there when an earlier attempt found no room.
        bool exists = !createsFile || disk.FileExists(path);
        using IDiskFile file = disk.Open(path, exists ? DiskFileMode.Existing : DiskFileMode.CreateNew);
        file.WriteUncached(position, buffers);
        if (createsFile)
        {
            // D-17: a synced file without its name is lost.
            disk.SyncFolder(folder);
        }
    }

    public override void Complete() => owner.RunDone(this, full: false);

    public override void Full(DiskFullException fault) => owner.RunDone(this, full: true);
}
