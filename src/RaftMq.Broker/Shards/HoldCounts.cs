namespace RaftMq.Broker.Shards;

/// <summary>What limits held back on this node since its start (BOUNDED), for metrics.</summary>
internal sealed class HoldCounts
{
    /// <summary>Produces that had to wait: for room in the journal, among uncommitted entries, or for a new leader to settle.</summary>
    public long ProducesHeld { get; set; }

    /// <summary>Of those, the ones whose time was up before they could be written.</summary>
    public long ProducesTimedOut { get; set; }

    /// <summary>Appends of leaders that this node did not take because its journal was full; they are sent again.</summary>
    public long AppendsHeldOff { get; set; }
}
