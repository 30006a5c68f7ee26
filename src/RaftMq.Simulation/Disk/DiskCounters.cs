namespace RaftMq.Simulation.Disk;

/// <summary>What was asked of a simulated disk since it was made. Survives crashes of the process.</summary>
public readonly record struct DiskCounters(
    long Writes, long BytesWritten, long Syncs, long FolderSyncs, long Reads, long BytesRead, long NameChanges);
