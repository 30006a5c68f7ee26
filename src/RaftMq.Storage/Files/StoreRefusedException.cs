namespace RaftMq.Storage.Files;

public enum StoreRefusal
{
    /// <summary>Written by an older version in a format that this one does not read.</summary>
    OldFormat,

    /// <summary>Written by a newer version.</summary>
    NewerFormat,

    /// <summary>The folder belongs to another node.</summary>
    OtherNode,

    /// <summary>The node had data before, and the folder has none: a volume that is not mounted, or was emptied (D-18).</summary>
    Emptied,

    /// <summary>Data without identity, or an identity that can't be read.</summary>
    Damaged,
}

/// <summary>The data folder is not one that this node may start on. The message tells the operator what to do.</summary>
public sealed class StoreRefusedException : IOException
{
    public StoreRefusedException(StoreRefusal reason, string message)
        : base(message)
    {
        Reason = reason;
    }

    public StoreRefusedException(string message)
        : this(StoreRefusal.Damaged, message)
    {
    }

    public StoreRefusedException(string message, Exception? innerException)
        : base(message, innerException)
    {
        Reason = StoreRefusal.Damaged;
    }

    public StoreRefusedException()
    {
    }

    public StoreRefusal Reason { get; }
}
