using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;

namespace RaftMq.Storage.Segments;

/// <summary>Makes a sealed segment's index file anew.</summary>
internal sealed class IndexWrite(GroupId group, Segment segment, SparseIndex index, GroupFiles owner) : DiskWork
{
    public override void Execute(IDisk disk) => IndexFile.Write(disk, segment.IndexPath, group, index);

    public override void Complete()
    {
        segment.HasIndexFile = true;
        End();
    }

    /// <summary>Without it the segment is gone through when somebody reads it.</summary>
    public override void Full(DiskFullException fault) => End();

    private void End()
    {
        segment.Readers--;
        owner.ReaderGone();
    }
}
