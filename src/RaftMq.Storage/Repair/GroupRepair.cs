using RaftMq.Raft;

namespace RaftMq.Storage.Repair;

/// <summary>
/// Puts whole files in the place of one replica's damaged ones, with what other replicas have (design 4, "Damage and healing"). Below consensus: a
/// segment holds nothing but committed entries, which are the same everywhere. It says what it wants (<see cref="Wish"/>); who drives it asks
/// around and brings what comes, in the group's section. Everything that comes is checked before it counts.
/// </summary>
public abstract class GroupRepair
{
    /// <summary>Null while the disk works, and at the end.</summary>
    public RepairWish? Wish { get; protected set; }

    /// <summary>What is being mended, for people.</summary>
    public string What { get; protected set; } = "its files";

    /// <summary>It came to its end: see <see cref="Failure"/>.</summary>
    public bool IsOver { get; protected set; }

    /// <summary>Why it ended without success, as a clause; it may begin anew later. Null while it runs, and where it mended everything.</summary>
    public string? Failure { get; protected set; }

    /// <summary>Bytes taken from other replicas so far.</summary>
    public long BytesTaken { get; protected set; }

    /// <summary>Files put in place so far.</summary>
    public int FilesMended { get; protected set; }

    /// <summary>Nobody drives it any more.</summary>
    public abstract void Abandon();

    /// <summary>The log of whoever was asked begins behind that entry, and so does everybody else's. False: that is no help here.</summary>
    public virtual bool TryBeginBehind(LogIndex baseIndex) => false;

    /// <summary>Entries from where they are wanted. Their bytes are valid during the call. False: they are not what belongs there.</summary>
    public abstract bool EntriesCame(IReadOnlyList<Entry> entries);

    /// <summary>A piece of the base that is wanted, from where it is wanted. False: it does not fit.</summary>
    public abstract bool BaseCame(long position, ReadOnlyMemory<byte> bytes, long totalBytes);
}
