namespace RaftMq.Simulation.Disk;

public enum UnsyncedKind
{
    Sector,
    Length,
    Name,
}

/// <summary>One thing that a power cut keeps or loses, independently of all others.</summary>
/// <param name="Position">Of a sector: where it lies in the file. Of a length: the unsynced length. Of a name: its number in the folder's queue.</param>
public readonly record struct UnsyncedPart(UnsyncedKind Kind, string Path, long Position);
