namespace RaftMq.Simulation;

/// <summary>How much journal the nodes of a run have. Small ones are full again and again (BOUNDED), and must never stay so.</summary>
public enum JournalSize
{
    /// <summary>Files roll and are recycled within seconds; full only while a disk is slow.</summary>
    Usual,

    /// <summary>Six files of 128 KiB.</summary>
    Small,

    /// <summary>The least there may be, four files, of 64 KiB: large batches don't even fit one.</summary>
    Tiny,
}
