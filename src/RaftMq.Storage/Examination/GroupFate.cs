namespace RaftMq.Storage.Examination;

/// <summary>What a start of the node makes of a group.</summary>
public enum GroupFate
{
    /// <summary>It starts.</summary>
    Starts,

    /// <summary>The journal lost something of it, now or earlier: it starts as a damaged replica and is healed through its leader.</summary>
    StartsDamaged,

    /// <summary>It starts once the other replicas have given what its files lack.</summary>
    WaitsForRepair,

    /// <summary>It does not start, and nobody can mend it here. Nothing of it is deleted.</summary>
    StaysOut,

    /// <summary>It was deleted; what is left of it goes.</summary>
    Deleted,

    /// <summary>The node itself does not start, or what it would do could not be found out.</summary>
    Unknown,
}
