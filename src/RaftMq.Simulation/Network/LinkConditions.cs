namespace RaftMq.Simulation.Network;

internal enum LinkState
{
    Open,

    /// <summary>What is sent stays on the way until the cut heals, and then arrives late and in order.</summary>
    Stalled,

    /// <summary>What is sent is lost.</summary>
    Dropped,
}

/// <summary>How one direction between two nodes behaves at present. Mutable: faults turn it.</summary>
internal sealed class LinkConditions
{
    public LinkState State { get; set; } = LinkState.Open;

    public int LatencyUs { get; set; } = 100;

    public int JitterUs { get; set; } = 100;

    /// <summary>125 is a gigabit.</summary>
    public int BytesPerUs { get; set; } = 125;

    /// <summary>
    /// The transport promises order and no repetition while a connection lasts; consensus must stand it otherwise. One frame in this
    /// many is lost, repeated or held back; 0: none.
    /// </summary>
    public int NastyOneIn { get; set; }

    public void Heal()
    {
        State = LinkState.Open;
        LatencyUs = 100;
        JitterUs = 100;
        BytesPerUs = 125;
        NastyOneIn = 0;
    }
}
