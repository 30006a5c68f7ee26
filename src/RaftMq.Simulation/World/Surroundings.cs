using RaftMq.Raft;

namespace RaftMq.Simulation.World;

/// <summary>
/// What the nodes of a run are set to and run on. Mostly the product's defaults on fast machines; now and then far from it, as windows that
/// are never open at one speed are open all the time at another.
/// </summary>
internal sealed record Surroundings
{
    private const int SlownessMaxWithTinyJournal = 2;

    public static readonly Surroundings Usual = new();

    public JournalSize Journal { get; init; }

    /// <summary>One append carries at most so much; 1: one entry.</summary>
    public int AppendBytesMax { get; init; } = 1 << 20;

    /// <summary>Entries on their way to a follower.</summary>
    public int WindowEntries { get; init; } = 256;

    /// <summary>In ms: how long a follower waits for its leader at least.</summary>
    public int ElectionMsMin { get; init; } = 600;

    /// <summary>Bytes of the newest entries that a node keeps in memory; what is older is read from segments.</summary>
    public int TailBytes { get; init; } = 2 << 20;

    /// <summary>Entry bytes that may wait for a node's journal; not above a quarter of all its files.</summary>
    public int JournalQueueBytes { get; init; } = 1 << 20;

    /// <summary>All disks' journal lanes take so many times what the fastest take.</summary>
    public int JournalSlowness { get; init; } = 1;

    /// <summary>The same of the other lanes.</summary>
    public int DiskSlowness { get; init; } = 1;

    /// <summary>Of the network between the nodes; as much again comes by chance.</summary>
    public int LatencyUs { get; init; } = 100;

    public static Surroundings Draw(RandomSource random, JournalSize? journal)
    {
        Surroundings drawn = new()
        {
            Journal = journal ?? (random.OneIn(6) ? JournalSize.Tiny : random.OneIn(5) ? JournalSize.Small : JournalSize.Usual),
            AppendBytesMax = random.OneIn(4) ? 1 : random.OneIn(4) ? random.Next(512, 16 << 10) : Usual.AppendBytesMax,
            WindowEntries = random.OneIn(4) ? random.Next(8, 33) : 256,
            ElectionMsMin = random.OneIn(4) ? random.Next(250, 400) : 600,
            TailBytes = random.OneIn(4) ? 1 << 20 : 2 << 20,
            JournalQueueBytes = random.OneIn(8) ? random.Next(4 << 10, 64 << 10) : 1 << 20,
            JournalSlowness = random.OneIn(3) ? random.Next(4, 40) : 1,
            DiskSlowness = random.OneIn(4) ? random.Next(2, 10) : 1,
            LatencyUs = random.OneIn(4) ? random.Next(500, 8_000) : 100,
        };

        // A tiny journal is full after each append, and the next comes with a heartbeat: one entry at a time, a new replica would take longer than
        // a run has left for it. And each file of it waits for segments and checkpoints of all groups: on disks slower than that for longer than service may.
        return drawn.Journal == JournalSize.Tiny
            ? drawn with { AppendBytesMax = Usual.AppendBytesMax, DiskSlowness = Math.Min(drawn.DiskSlowness, SlownessMaxWithTinyJournal) }
            : drawn;
    }
}
