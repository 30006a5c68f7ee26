using RaftMq.Broker.Environment;
using RaftMq.Server.Sections;

namespace RaftMq.Server.Tests.Sections;

public sealed class ExclusiveSectionTests
{
    [Fact]
    public void Poster_that_finds_the_section_free_carries_its_work_before_it_returns()
    {
        var owner = new CountingOwner();
        var section = new ExclusiveSection("test", owner, Rethrow, carriedMax: TimeSpan.MaxValue);
        int ranOn = 0;

        section.Post(new Work(() => ranOn = Environment.CurrentManagedThreadId));

        Assert.Equal(Environment.CurrentManagedThreadId, ranOn);
        Assert.Equal(1, owner.Turns);
    }

    [Fact]
    public void What_others_post_while_the_first_things_are_made_waits_until_they_are()
    {
        var order = new List<string>();
        var owner = new CountingOwner();
        var section = new ExclusiveSection("test", owner, Rethrow, carriedMax: TimeSpan.MaxValue);

        section.RunFirst(() =>
        {
            var other = new Thread(() => section.Post(new Work(() => order.Add("posted"))));
            other.Start();
            other.Join();
            order.Add("made");
        });
        section.Post(new Work(() => order.Add("later")));

        Assert.Equal(["made", "posted", "later"], order);
        Assert.Equal(2, owner.Turns);
    }

    [Fact]
    public void What_goes_wrong_while_the_first_things_are_made_comes_out_and_nothing_runs_afterwards()
    {
        var owner = new CountingOwner();
        var section = new ExclusiveSection("test", owner, Rethrow, carriedMax: TimeSpan.MaxValue);

        Assert.Throws<InvalidDataException>(() => section.RunFirst(static () => throw new InvalidDataException()));
        section.Post(new Work(() => Assert.Fail("ran")));

        Assert.Equal(0, owner.Turns);
    }

    [Fact]
    public void Work_posted_from_inside_runs_after_the_current_work_and_in_order()
    {
        var order = new List<string>();
        var owner = new CountingOwner();
        ExclusiveSection section = null!;
        section = new ExclusiveSection("test", owner, Rethrow, carriedMax: TimeSpan.MaxValue);

        section.Post(new Work(() =>
        {
            section.Post(new Work(() => order.Add("second")));
            section.Post(new Work(() => order.Add("third")));
            order.Add("first");
        }));

        Assert.Equal(["first", "second", "third"], order);
        Assert.Equal(1, owner.Turns);
    }

    [Fact]
    public void Work_posted_at_the_end_of_a_turn_gets_a_turn_of_its_own()
    {
        int ran = 0;
        ExclusiveSection section = null!;
        var owner = new CountingOwner();
        owner.OnTurn = () =>
        {
            if (owner.Turns == 1)
            {
                section.Post(new Work(() => ran++));
            }
        };
        section = new ExclusiveSection("test", owner, Rethrow, carriedMax: TimeSpan.MaxValue);

        section.Post(new Work(() => ran++));

        Assert.Equal(2, ran);
        Assert.Equal(2, owner.Turns);
    }

    [Fact]
    public void Turn_ends_after_256_works_even_when_more_wait()
    {
        int ran = 0;
        var ranAtTurn = new List<int>();
        var owner = new CountingOwner();
        owner.OnTurn = () => ranAtTurn.Add(ran);
        ExclusiveSection section = null!;
        section = new ExclusiveSection("test", owner, Rethrow, carriedMax: TimeSpan.MaxValue);

        section.Post(new Work(() =>
        {
            for (int i = 0; i < 600; i++)
            {
                section.Post(new Work(() => ran++));
            }
        }));

        Assert.Equal([255, 511, 600], ranAtTurn);
    }

    [Fact]
    public void Work_object_may_be_posted_again_from_its_own_run()
    {
        int runs = 0;
        ExclusiveSection section = null!;
        Work work = null!;
        section = new ExclusiveSection("test", new CountingOwner(), Rethrow, carriedMax: TimeSpan.MaxValue);
        work = new Work(() =>
        {
            if (++runs < 1000)
            {
                section.Post(work);
            }
        });

        section.Post(work);

        Assert.Equal(1000, runs);
    }

    [Fact]
    public void Work_that_waits_can_not_be_posted_again()
    {
        Exception? fatal = null;
        ExclusiveSection section = null!;
        section = new ExclusiveSection("test", new CountingOwner(), (_, cause) => fatal = cause, carriedMax: TimeSpan.MaxValue);
        var twice = new Work(static () => { });

        section.Post(new Work(() =>
        {
            section.Post(twice);
            section.Post(twice);
        }));

        Assert.IsType<RaftMq.Raft.InvariantViolationException>(fatal);
    }

    [Fact]
    public void Inner_section_is_carried_at_once_and_the_outer_one_after_it_is_left()
    {
        var order = new List<string>();
        var outer = new ExclusiveSection("shard", new CountingOwner(), Rethrow, carriedMax: TimeSpan.MaxValue);
        var inner = new ExclusiveSection("journal", new CountingOwner(), Rethrow, carriedMax: TimeSpan.MaxValue);

        outer.Post(new Work(() =>
        {
            inner.Post(new Work(() => order.Add("inner from outer")));
            order.Add("outer");
        }));
        inner.Post(new Work(() =>
        {
            outer.Post(new Work(() =>
            {
                // The inner section is free again: another thread finds nobody there.
                var other = new Thread(() => inner.Post(new Work(() => order.Add("inner by another thread"))));
                other.Start();
                other.Join();
                order.Add("outer from inner");
            }));
            order.Add("inner");
        }));

        Assert.Equal(["inner from outer", "outer", "inner", "inner by another thread", "outer from inner"], order);
    }

    [Fact]
    public void Two_sections_that_post_to_each_other_lose_nothing()
    {
        const int Rounds = 50_000;
        int outerRan = 0;
        int innerRan = 0;
        var outer = new ExclusiveSection("shard", new CountingOwner(), Rethrow, carriedMax: TimeSpan.MaxValue);
        var inner = new ExclusiveSection("journal", new CountingOwner(), Rethrow, carriedMax: TimeSpan.MaxValue);
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(number => new Thread(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                (ExclusiveSection first, ExclusiveSection second) = number % 2 == 0 ? (outer, inner) : (inner, outer);
                first.Post(new Work(() =>
                {
                    Count(first);
                    second.Post(new Work(() => Count(second)));
                }));
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal(4 * Rounds, outerRan);
        Assert.Equal(4 * Rounds, innerRan);

        void Count(ExclusiveSection section)
        {
            if (section == outer)
            {
                outerRan++;
            }
            else
            {
                innerRan++;
            }
        }
    }

    [Fact]
    public void Exception_inside_is_fatal()
    {
        (string Where, Exception Cause)? fatal = null;
        var section = new ExclusiveSection("shard-0", new CountingOwner(), (where, cause) => fatal = (where, cause), carriedMax: TimeSpan.MaxValue);

        section.Post(new Work(() => throw new InvalidOperationException("broken")));

        Assert.Equal("section shard-0", fatal?.Where);
        Assert.Equal("broken", fatal?.Cause.Message);
    }

    [Fact]
    public void Posting_allocates_nothing()
    {
        var section = new ExclusiveSection("test", new CountingOwner(), Rethrow, carriedMax: TimeSpan.MaxValue);
        var work = new Work(static () => { });
        section.Post(work);
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 1000; i++)
        {
            section.Post(work);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>A plain counter without synchronisation is the witness: it is right only if one thread at a time was inside.</summary>
    [Theory]
    [InlineData(2, 1)]
    [InlineData(4, 1)]
    [InlineData(8, 1)]
    [InlineData(4, 0)]
    [InlineData(4, 1_000_000)]
    public void Many_posters_lose_no_work_and_never_meet_inside(int posters, int carriedMaxMs)
    {
        int perPoster = LongForm.Rounds(100_000, 2_000_000);
        long ran = 0;
        int inside = 0;
        int met = 0;
        long atTurn = -1;
        long[] lastSeen = new long[posters];
        bool outOfOrder = false;
        var owner = new CountingOwner();
        owner.OnTurn = () => atTurn = ran;
        var section = new ExclusiveSection("test", owner, Rethrow, carriedMax: TimeSpan.FromMilliseconds(carriedMaxMs));

        Thread[] threads = [.. Enumerable.Range(0, posters).Select(poster => new Thread(() =>
        {
            for (long i = 1; i <= perPoster; i++)
            {
                long number = i;
                section.Post(new Work(() =>
                {
                    met += Interlocked.Increment(ref inside) == 1 ? 0 : 1;
                    outOfOrder |= lastSeen[poster] != number - 1;
                    lastSeen[poster] = number;
                    ran++;
                    Interlocked.Decrement(ref inside);
                }));
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        // The last of it may be with the section's own thread.
        long all = (long)posters * perPoster;
        SpinWait.SpinUntil(() => Volatile.Read(ref atTurn) == all, TimeSpan.FromSeconds(30));
        Assert.Equal(all, ran);
        Assert.Equal(0, met);
        Assert.False(outOfOrder);
        Assert.Equal(ran, atTurn);
    }

    [Fact]
    public void A_thread_that_has_carried_for_long_hands_over_and_returns()
    {
        var owner = new CountingOwner();
        var section = new ExclusiveSection("test", owner, Rethrow, carriedMax: TimeSpan.Zero);
        using var release = new ManualResetEventSlim();
        using var done = new ManualResetEventSlim();
        Thread? second = null;

        section.Post(new Work(() => section.Post(new Work(() =>
        {
            second = Thread.CurrentThread;
            release.Wait();
            done.Set();
        }))));

        // Back here while the work is still at it, on a thread of its own.
        Assert.False(done.IsSet);
        release.Set();
        Assert.True(done.Wait(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.NotSame(Thread.CurrentThread, second);
    }

    private static void Rethrow(string where, Exception cause) => throw new InvalidOperationException(where, cause);

    private sealed class Work(Action run) : SectionWork
    {
        public override void Run() => run();
    }

    private sealed class CountingOwner : ISectionOwner
    {
        public int Turns { get; private set; }

        public Action OnTurn { get; set; } = () => { };

        public void EndTurn()
        {
            Turns++;
            OnTurn();
        }
    }
}
