namespace RaftMq.Broker.Groups;

/// <summary>Where a group is in its rebalance. The numbers are stored (except <see cref="Joining"/>) and never change.</summary>
public enum GroupPhase : byte
{
    /// <summary>No members. It may hold offsets.</summary>
    Empty = 0,

    /// <summary>The generation is fixed; the leader's assignment is awaited.</summary>
    Syncing = 1,

    /// <summary>Every member has an assignment.</summary>
    Stable = 2,

    /// <summary>A rebalance has begun; members are gathered for the next generation. Known to the coordinator only, never stored.</summary>
    Joining = 3,
}
