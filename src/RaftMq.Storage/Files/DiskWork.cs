namespace RaftMq.Storage.Files;

/// <summary>
/// A piece of work for the disk: a request out, a completion back. Its life:
/// 1. made inside an exclusive section and handed to <see cref="IDiskQueue.Submit"/>;
/// 2. <see cref="Execute"/> on a thread of the disk (in simulation: at a later virtual time), where it touches the disk, its own
///    fields and memory that its owner promised not to change meanwhile, and nothing else;
/// 3. <see cref="Complete"/> back inside the owner's section, once <see cref="Execute"/> returned.
/// When <see cref="Execute"/> throws <see cref="DiskFaultException"/> the node stops and nothing completes. When it throws
/// <see cref="DiskFullException"/>, <see cref="Full"/> is called instead of <see cref="Complete"/>.
/// </summary>
public abstract class DiskWork
{
    public abstract void Execute(IDisk disk);

    public abstract void Complete();

    /// <summary>No room. Work that can't wait for room stops the node, which is the default.</summary>
    public virtual void Full(DiskFullException fault) => throw new DiskFaultException(fault.Message, fault);
}

/// <summary>Work in one lane is executed and completed in the order of submission; lanes do not wait for each other.</summary>
public enum DiskLane
{
    /// <summary>The journal's batches. Nothing else, so that an ack waits for one fsync only.</summary>
    Journal,

    /// <summary>Segment runs, checkpoints, journal files prepared ahead.</summary>
    Background,

    /// <summary>Reads for consumers and followers. The one lane that may run several works at a time, in any order.</summary>
    Read,
}

/// <summary>Takes work to the disk. Completions come back into the section that submitted.</summary>
public interface IDiskQueue
{
    void Submit(DiskLane lane, DiskWork work);
}
