namespace RaftMq.Broker.Space;

/// <summary>How a node's disk is off for room.</summary>
public enum RoomLevel
{
    Enough,

    /// <summary>Below the mark at which the operator is warned; nothing else happens.</summary>
    Low,

    /// <summary>Below the least: no records are taken.</summary>
    Short,
}
