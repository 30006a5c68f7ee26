namespace RaftMq.Simulation;

/// <summary>What one run is given. All else follows from the seed.</summary>
public sealed record SimulationOptions
{
    public required ulong Seed { get; init; }

    /// <summary>How long the whole run is. Faults end at about half of it; the rest is for what is owed afterwards.</summary>
    public TimeSpan VirtualDuration { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>3 to 5; null: drawn from the seed.</summary>
    public int? Nodes { get; init; }

    /// <summary>Null: drawn from the seed.</summary>
    public JournalSize? Journal { get; init; }

    /// <summary>Not null: every event is written there, a line each.</summary>
    public TextWriter? Trace { get; init; }

    /// <summary>For the replay line; where the code came from.</summary>
    public string Commit { get; init; } = SourceCommit.OfThisBuild;
}
