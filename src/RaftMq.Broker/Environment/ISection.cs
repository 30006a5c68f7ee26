namespace RaftMq.Broker.Environment;

/// <summary>
/// An exclusive section: at most one thread is inside at a time. Whoever posts work and finds the section free carries it through on
/// its own thread; otherwise the work waits in the section's queue for whoever is inside. Work posted from inside runs after the
/// current work. Order of posting from one thread is kept.
/// </summary>
public interface ISection
{
    void Post(SectionWork work);

    /// <summary>
    /// Makes what will live in the section, inside it and on this thread: the disk may answer before all is made, and that waits until then.
    /// To be called once, before anything was posted. What <paramref name="start"/> throws comes out, and nothing ever runs in the section.
    /// </summary>
    void RunFirst(Action start);
}

/// <summary>A piece of work for a section. An object may be posted again once it has run.</summary>
public abstract class SectionWork
{
    /// <summary>For the section's own queue; not to be touched by others.</summary>
    public SectionWork? Next { get; set; }

    public abstract void Run();
}

/// <summary>What lives in a section.</summary>
public interface ISectionOwner
{
    /// <summary>
    /// Called inside the section when no work is waiting (or after a bounded number of works): now act on everything that was
    /// brought in. So work is batched by itself while the owner was busy.
    /// </summary>
    void EndTurn();
}
