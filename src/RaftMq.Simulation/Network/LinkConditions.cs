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
    private readonly int _usualLatencyUs;

    public LinkConditions(int usualLatencyUs)
    {
        _usualLatencyUs = usualLatencyUs;
        BeFast();
    }

    public LinkState State { get; set; } = LinkState.Open;

    public int LatencyUs { get; set; }

    public int JitterUs { get; set; }

    /// <summary>125 is a gigabit.</summary>
    public int BytesPerUs { get; set; }

    /// <summary>
    /// The transport promises order and no repetition while a connection lasts; consensus must stand it otherwise. One frame in this
    /// many is lost, repeated or held back; 0: none.
    /// </summary>
    public int NastyOneIn { get; set; }

    public void Heal()
    {
        State = LinkState.Open;
        NastyOneIn = 0;
        BeFast();
    }

    /// <summary>As fast as the run's network is.</summary>
    public void BeFast()
    {
        LatencyUs = _usualLatencyUs;
        JitterUs = _usualLatencyUs;
        BytesPerUs = 125;
    }
}
