namespace RaftMq.Storage.Files;

/// <summary>A read, write or sync failed. What it was about can't be claimed any more: the node stops and never retries (promise STOPPED).</summary>
public class DiskFaultException : IOException
{
    public DiskFaultException(string message)
        : base(message)
    {
    }

    public DiskFaultException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public DiskFaultException()
    {
    }
}

/// <summary>
/// The medium does not give back what was written there (EIO and the like). Of some files it is damage, for which others make up
/// (<see cref="LatentErrorDisk"/>); else the node stops.
/// </summary>
public sealed class UnreadableException : DiskFaultException
{
    public UnreadableException(string message)
        : base(message)
    {
    }

    public UnreadableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public UnreadableException()
    {
    }
}

/// <summary>No space (or quota) left for a write that claims new room.</summary>
public sealed class DiskFullException : DiskFaultException
{
    public DiskFullException(string message)
        : base(message)
    {
    }

    public DiskFullException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public DiskFullException()
    {
    }
}

/// <summary>Bytes that were durable once are not what was written (promise DETECTED). Says where.</summary>
public sealed class DamagedException : IOException
{
    public DamagedException(string message)
        : base(message)
    {
    }

    public DamagedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public DamagedException()
    {
    }
}
