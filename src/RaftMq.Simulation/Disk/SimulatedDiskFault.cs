namespace RaftMq.Simulation.Disk;

/// <summary>What a simulated disk does wrong, once, to the next call it applies to.</summary>
public enum SimulatedDiskFault
{
    /// <summary>The write fails with EIO; any of its sectors may have reached the cache.</summary>
    WriteFails,

    /// <summary>
    /// The sync fails with EIO; some dirty sectors reached the disk, the others are marked clean though they did not: they stay readable
    /// from the cache, the next sync says OK, and a power cut loses them (ext4 and XFS; Rebello et al., ATC'20).
    /// </summary>
    SyncFails,

    /// <summary>The write says OK and goes nowhere.</summary>
    WriteLost,

    /// <summary>The write says OK and lands at another place of the same file.</summary>
    WriteMisdirected,

    /// <summary>A write that says OK; one sector of it is garbage.</summary>
    WriteGarbled,

    /// <summary>The read fails with EIO.</summary>
    ReadFails,
}
