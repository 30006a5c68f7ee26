namespace RaftMq.Simulation.Faults;

/// <summary>What goes wrong outside of the nodes.</summary>
internal enum FaultKind
{
    ProcessCrash,
    PowerCut,
    PowerCutOfAll,

    /// <summary>A second node a moment after the first.</summary>
    SecondCrash,
    CrashInDisk,
    CrashInRecovery,

    /// <summary>Of who says something of a kind.</summary>
    CrashAtMessage,

    /// <summary>Both ways between two sides.</summary>
    Cut,

    /// <summary>With a node that both sides see .</summary>
    CutWithBridge,

    /// <summary>Each node reaches its neighbours in a ring only.</summary>
    CutToRing,
    OneWayCut,
    Reset,
    SlowLink,
    SlowNetwork,
    NastyLink,

    /// <summary>All ways to one node and from it are long.</summary>
    FarNode,
    CutFromController,

    /// <summary>Of the connection on which something of a kind is said.</summary>
    ResetAtMessage,
    SlowDisk,
    SlowLane,
    DiskStall,
    SyncFails,

    /// <summary>On the medium, of what was durable there; see <see cref="MediumFaults"/>.</summary>
    BitFlips,
    MisdirectedWrite,
    OldBlock,
    FileCut,
    UnreadableBlock,
    FileLost,
    WriteFails,

    /// <summary>Once; the same read succeeds next time.</summary>
    ReadFails,
    FullDisk,

    /// <summary>In the memory of one node: what a replica made of its log.</summary>
    StateSpoilt,

    /// <summary>Little is left, and the node's own data fills it.</summary>
    SmallDisk,
    ClockJump,

    /// <summary>A process stands still for some time and goes on.</summary>
    Pause,

    /// <summary>And others give up its connections meanwhile.</summary>
    PauseWithResets,

    /// <summary>Of who says something of a kind.</summary>
    PauseAtMessage,

    /// <summary>A node is started with another node's disk, and then with its own again.</summary>
    ForeignVolume,

    /// <summary>The next version of the program is installed on one machine and started.</summary>
    Upgrade,

    /// <summary>Of whose disk does something of a kind, or does the next thing after it.</summary>
    CrashAtDiskWork,

    /// <summary>When all else is well; see <see cref="LastingFault"/>.</summary>
    LastingDeath,
    LastingStandstill,

    /// <summary>What it sends to some or all others is lost.</summary>
    LastingMuteness,

    /// <summary>It hears nothing of some or all others.</summary>
    LastingDeafness,

    /// <summary>It and one other do not reach each other; both reach all the rest.</summary>
    LastingGap,
    LastingSlowDisk,
    LastingDiskStall,
}
