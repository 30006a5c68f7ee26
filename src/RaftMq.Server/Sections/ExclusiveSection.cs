using System.Diagnostics;
using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Server.Sections;

/// <summary>
/// At most one thread inside, without a lock and without a hop between threads: whoever posts and finds the section free carries the
/// work through, and everything that others post meanwhile. One word holds the whole state, so no wake-up can be lost:
/// - null: free, nothing waits;
/// - <see cref="Busy"/>: somebody is inside and nothing waits;
/// - a work: the newest of a chain of works that wait; somebody is inside, or its poster is about to enter.
/// Allocates nothing: works are their own links.
/// A thread inside one section may find another one free. Sections made later are inner ones (the journal behind the shard): their
/// turns are short and are carried at once. An outer one is carried only after the inner one is left: else the journal would stand
/// still for as long as its thread is kept busy in the shard.
/// A thread that has carried for <see cref="CarriedMax"/> and finds more work hands the section to its <see cref="ReliefCarrier"/>.
/// </summary>
internal sealed class ExclusiveSection : ISection
{
    /// <summary>After so many works the owner acts even if more wait, so that what the first ones asked for is not held up.</summary>
    public const int WorksPerTurnMax = 256;

    /// <summary>The threads of sockets and peers have others to serve: so long at most one of them stays here.</summary>
    public static readonly TimeSpan CarriedMax = TimeSpan.FromMilliseconds(1);

    private static readonly SectionWork Busy = new BusyMark();

    private static int s_made;

    /// <summary>The section that this thread is in, the innermost.</summary>
    [ThreadStatic]
    private static ExclusiveSection? t_inside;

    /// <summary>Sections that this thread owes to carry once it is outside.</summary>
    [ThreadStatic]
    private static ExclusiveSection? t_owed;

    private readonly ISectionOwner _owner;
    private readonly Action<string, Exception> _fatal;
    private readonly TimeSpan _carriedMax;
    private readonly ReliefCarrier _relief;
    private readonly int _rank = Interlocked.Increment(ref s_made);
    private ExclusiveSection? _nextOwed;

    /// <summary>See the class. Written by posters (a work), and by whoever is inside (taking the chain, leaving).</summary>
    private SectionWork? _waiting;

    /// <param name="fatal">Told of anything that is thrown inside: state may be half changed, the process must end.</param>
    /// <param name="carriedMax">Instead of <see cref="CarriedMax"/>.</param>
    public ExclusiveSection(string name, ISectionOwner owner, Action<string, Exception> fatal, TimeSpan? carriedMax = null)
    {
        Name = name;
        _owner = owner;
        _fatal = fatal;
        _carriedMax = carriedMax ?? CarriedMax;
        _relief = new ReliefCarrier(name, CarryOutside);
    }

    public string Name { get; }

    public void Post(SectionWork work)
    {
        if (Enqueue(work))
        {
            Carry();
        }
    }

    public void RunFirst(Action start)
    {
        Invariant.Holds(Interlocked.CompareExchange(ref _waiting, Busy, null) is null);
        ExclusiveSection? outer = t_inside;
        t_inside = this;
        try
        {
            start();
        }
        finally
        {
            t_inside = outer;
        }

        if (!ReferenceEquals(Interlocked.CompareExchange(ref _waiting, null, Busy), Busy))
        {
            Carry();
        }
    }

    /// <summary>Returns true when the section was free: then the caller must call <see cref="Carry"/>, at once.</summary>
    internal bool Enqueue(SectionWork work)
    {
        // A work that waits already would tear the chain: it may be posted again only once it has run.
        Invariant.Holds(work.Next is null);
        SectionWork? seen = Volatile.Read(ref _waiting);
        while (true)
        {
            work.Next = seen ?? Busy;
            SectionWork? before = Interlocked.CompareExchange(ref _waiting, work, seen);
            if (ReferenceEquals(before, seen))
            {
                return seen is null;
            }

            seen = before;
        }
    }

    /// <summary>
    /// Runs what waits until nothing does; later, when this thread is in an inner section. Only for the thread to which
    /// <see cref="Enqueue"/> said true.
    /// </summary>
    internal void Carry()
    {
        ExclusiveSection? outer = t_inside;
        if (outer is not null && outer._rank > _rank)
        {
            _nextOwed = t_owed;
            t_owed = this;
            return;
        }

        if (outer is not null)
        {
            CarryHere(outer);
            return;
        }

        CarryOutside();
    }

    /// <summary>Carries this section, then those that the thread came to owe meanwhile.</summary>
    private void CarryOutside()
    {
        CarryHere(outer: null);
        while (t_owed is { } owed)
        {
            t_owed = owed._nextOwed;
            owed._nextOwed = null;
            owed.CarryHere(outer: null);
        }
    }

    private void CarryHere(ExclusiveSection? outer)
    {
        t_inside = this;
        try
        {
            CarryUntilEmpty();
        }
#pragma warning disable CA1031 // The top of an owned loop: whatever went wrong inside, the state can't be trusted any more.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _fatal($"section {Name}", exception);
        }
        finally
        {
            t_inside = outer;
        }
    }

    private void CarryUntilEmpty()
    {
        int worksThisTurn = 0;
        long since = ReliefCarrier.IsHere || CarrierDuties.HasOne ? 0 : Stopwatch.GetTimestamp();
        while (true)
        {
            SectionWork? chain = Interlocked.Exchange(ref _waiting, Busy);
            Invariant.Holds(chain is not null);
            Invariant.Holds(!ReferenceEquals(chain, Busy));
            SectionWork work = InOrderOfPosting(chain);
            while (!ReferenceEquals(work, Busy))
            {
                // Taken before it runs: a work may be posted again from inside its own Run.
                SectionWork next = work.Next!;
                work.Next = null;
                work.Run();
                work = next;
                if (++worksThisTurn >= WorksPerTurnMax)
                {
                    _owner.EndTurn();
                    worksThisTurn = 0;
                }
            }

            if (ReferenceEquals(Volatile.Read(ref _waiting), Busy))
            {
                _owner.EndTurn();
                worksThisTurn = 0;
                if (ReferenceEquals(Interlocked.CompareExchange(ref _waiting, null, Busy), Busy))
                {
                    return;
                }
            }

            if (since != 0 && Stopwatch.GetElapsedTime(since) > _carriedMax)
            {
                // Owners act at the end of a turn; the next carrier begins one of its own.
                _owner.EndTurn();
                _relief.TakeOver();
                return;
            }

            CarrierDuties.BeforeStaying();
        }
    }

    /// <summary>Every chain ends in the mark, so that a work's link is null only while it waits nowhere.</summary>
    private static SectionWork InOrderOfPosting(SectionWork newest)
    {
        SectionWork oldest = Busy;
        SectionWork work = newest;
        while (!ReferenceEquals(work, Busy))
        {
            SectionWork older = work.Next!;
            work.Next = oldest;
            oldest = work;
            work = older;
        }

        return oldest;
    }

    private sealed class BusyMark : SectionWork
    {
        public override void Run() => throw new InvariantViolationException("The mark of a busy section is not work.");
    }
}
