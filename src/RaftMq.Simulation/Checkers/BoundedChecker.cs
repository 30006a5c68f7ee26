namespace RaftMq.Simulation.Checkers;

/// <summary>
/// BOUNDED: no named limit is passed, but by what its own rule allows: what is needed to get below it again, or what was under way when it was
/// reached.
/// </summary>
public sealed class BoundedChecker : PromiseChecker
{
    /// <summary>One message between nodes (<see cref="Raft.RaftConfig.AppendBytesMax"/>), or one batch of a client.</summary>
    private const long OneMessage = 1 << 20;

    /// <summary>What hard states and the records that release files may add to a full journal while a fault lasts: each takes two blocks.</summary>
    private const long OvertakingBytes = 4 << 20;

    /// <summary>The same in files, which may be as small as 16 blocks.</summary>
    private const long OvertakingFiles = 64;

    private const long OtherNodesMax = 8;

    public override string Promise => "BOUNDED";

    /// <summary>The most that was ever seen of each limit, by its name.</summary>
    public SortedDictionary<string, (long Used, long Max)> Largest { get; } = new(StringComparer.Ordinal);

    public override string? Observe(HistoryEvent happened)
    {
        if (happened is not HistoryEvent.LimitSeen seen)
        {
            return null;
        }

        if (!Largest.TryGetValue(seen.Limit, out (long Used, long Max) largest) || seen.Used * largest.Max > largest.Used * seen.Max)
        {
            Largest[seen.Limit] = (seen.Used, seen.Max);
        }

        long allowed = seen.Max + AllowanceOf(seen.Limit, seen.Max);
        return seen.Used > allowed ? $"{seen.Node} uses {seen.Used} of {seen.Limit}, whose limit is {seen.Max} and never more than {allowed}" : null;
    }

    private static long AllowanceOf(string limit, long max) => limit switch
    {
        // Twice the limit is where even callers that do not heed it are stopped (JournalOptions.HardBytesMax).
        "journal_bytes" => max + OvertakingBytes,
        "journal_files" => OvertakingFiles,

        // Looked at before a message is taken, which may be the one that passes it.
        "journal_queue_bytes" or "uncommitted_bytes" or "uncommitted_bytes_per_group" or "replication_window_bytes" => OneMessage,

        // Full a quarter above the budget; then followers may still take what their groups can't go on without, an append each at a time, and on a full
        // disk no segment takes it from them.
        "tail_bytes" => max + (4 * OneMessage),

        // A movement that began under another leader comes with the leadership; each of the others has as many at most.
        "movements" => OtherNodesMax * max,
        _ => 0,
    };
}
