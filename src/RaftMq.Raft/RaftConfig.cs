namespace RaftMq.Raft;

/// <summary>What a group needs to know of itself and of time. Ticks are the caller's; the product's tick is 50 ms.</summary>
public sealed record RaftConfig
{
    /// <summary>The default of <see cref="ProbeBytesMax"/>.</summary>
    public const int ProbeBytes = 64 << 10;

    public required GroupId Group { get; init; }
    public required ReplicaId Self { get; init; }
    public required BootNumber Boot { get; init; }

    /// <summary>
    /// A membership of an entry below this one says nothing of this replica. The node had another replica of the group before, which was
    /// deleted when the group had let it go; this one gets the same log, and on the way through it meets memberships in which the node
    /// had a vote. It has none, and asks for none, before it holds the later one that took it in.
    /// </summary>
    public LogIndex BornFrom { get; init; }

    /// <summary>100 ms.</summary>
    public int HeartbeatTicks { get; init; } = 2;

    /// <summary>0.6 s; an election time is drawn from [min, 2·min].</summary>
    public int ElectionTicksMin { get; init; } = 12;

    /// <summary>Quiet after this many ticks in which nothing happened and all live voters had everything.</summary>
    public int QuietAfterTicks { get; init; } = 20;

    /// <summary>A hand-over that is not done by then is given up, and proposals are admitted again.</summary>
    public int TransferTicksMax { get; init; } = 24;

    public int WindowEntries { get; init; } = 256;
    public long WindowBytes { get; init; } = 8 << 20;

    /// <summary>One append message carries at most this much; a single larger entry travels alone.</summary>
    public int AppendBytesMax { get; init; } = 1 << 20;

    /// <summary>
    /// A probe, which may well be refused, carries at most this much: enough for the no-op of a new term and what came with it, so
    /// that a fail-over costs one round trip and not two.
    /// </summary>
    public int ProbeBytesMax { get; init; } = ProbeBytes;

    public long UncommittedBytesMax { get; init; } = 32 << 20;

    /// <summary>Reads that wait for a confirmation; one more is refused.</summary>
    public int ReadsWaitingMax { get; init; } = 10_000;

    /// <summary>
    /// Reads are confirmed without a round of heartbeats while a quorum answered one within three quarters of
    /// <see cref="ElectionTicksMin"/> (dissertation 6.4.1). Relies on ticks that follow real time to within a quarter, also over
    /// a pause of the process (missed ticks are made up before anything else is stepped). Off: nothing relies on clocks.
    /// </summary>
    public bool LeaseReads { get; init; }

    /// <summary>
    /// Followers are told a new commit index at once, by a message of its own. Off: with the next append, at the latest with the next
    /// tick, which halves the messages of a busy group. For groups whose followers serve (the controller).
    /// </summary>
    public bool EagerCommit { get; init; }
}
