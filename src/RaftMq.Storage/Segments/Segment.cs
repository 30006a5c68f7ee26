using RaftMq.Raft;
using RaftMq.Storage.Index;

namespace RaftMq.Storage.Segments;

/// <summary>
/// One file of committed entries, one behind the other from its first byte, equal on all replicas. Its life:
/// 1. made with its file by the run that writes its first entry;
/// 2. written to by runs, one at a time, and fsynced when the journal wants its files back;
/// 3. sealed when the next segment begins; its index file follows with its last sync;
/// 4. cut by retention: out of the set at once, its file deleted when the last read of it is done.
/// </summary>
internal sealed class Segment(string folder, SegmentSummary summary, SparseIndex? index)
{
    public LogIndex First => Summary.First;

    public string Path { get; } = SegmentNames.Log(folder, summary.First);

    public string IndexPath { get; } = SegmentNames.Index(folder, summary.First);

    /// <summary>Of what is written, durable or not.</summary>
    public SegmentSummary Summary { get; set; } = summary;

    /// <summary>Null while a sealed segment's points are only in its index file.</summary>
    public SparseIndex? Index { get; set; } = index;

    /// <summary>True once an index file of the whole, sealed segment is durable.</summary>
    public bool HasIndexFile { get; set; }

    /// <summary>
    /// The file's name may not be durable: an earlier life could have ended between making it and syncing its folder. It is synced before
    /// the next segment is made and before anything of this one counts as durable.
    /// </summary>
    public bool NameMayBeLost { get; set; }

    /// <summary>A read found bytes in it that are not what was written. What is whole is served on; another replica's takes its place.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>Reads on their way: the file must stay.</summary>
    public int Readers { get; set; }
}
