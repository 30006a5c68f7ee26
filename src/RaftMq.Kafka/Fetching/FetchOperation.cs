using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Raft;
using RaftMq.Records;

namespace RaftMq.Kafka.Fetching;

/// <summary>
/// One fetch from its reads to its answer; used again by the next fetch of the same connection, which has one at a time.
/// Its life:
/// 1. Reading: a wave of reads, each granted a share of the bytes left. The last completion takes the results in and decides.
/// 2. Waiting, when there are fewer bytes than the client wants and time is left: woken by a commit, by the timer or by the end of the
///    connection. Only what was woken is read again, from where the last read ended: no byte is read twice.
/// 3. Done: the answer is handed over on the thread that found it complete, without a hop.
/// At each moment one thread owns the fields: the starter, whoever completes the wave's last read, or whoever wins the change from
/// Waiting to Reading.
/// </summary>
internal sealed class FetchOperation : IReadCompletion, IValueTaskSource
{
    /// <summary>Parts kept for the next fetch; a consumer of more partitions than this pays for the rest each time.</summary>
    private const int PartsKeptMax = 1024;

    private readonly KafkaNode node;
    private readonly List<FetchPart> parts = [];
    private ManualResetValueTaskSourceCore<bool> done = new() { RunContinuationsAsynchronously = true };
    private ITimer? timer;
    private CancellationTokenRegistration registration;
    private CancellationToken cancellation;
    private IFetchAnswer answer = null!;
    private int count;
    private int waitLimitMs;
    private long bytesLeft;
    private long bytesGot;
    private long bytesMin;
    private bool timerSet;
    private bool failed;

    // Parts before it were looked at in this round; those from waveFrom on are read in the wave under way.
    private int cursor;
    private int waveFrom;

    // The first part whose next batch was larger than its grant.
    private FetchPart? starved;
    private volatile bool timerFired;

    // Reads of the wave under way, plus one for the thread that issues them.
    private int outstanding;

    // A FetchPhase; changed by compare-and-swap because wakes come from anywhere.
    private int phase;

    public FetchOperation(KafkaNode node)
    {
        this.node = node;
    }

    private enum FetchPhase
    {
        Idle,
        Reading,
        Arming,
        Waiting,
    }

    /// <summary>The next part to fill by <see cref="FetchPart.Begin"/>, before <see cref="RunAsync"/>.</summary>
    public FetchPart AddPart()
    {
        if (count == parts.Count)
        {
            parts.Add(new FetchPart(this, tag: count));
        }

        return parts[count++];
    }

    /// <param name="fetchAnswer">Gets the parts when they are complete.</param>
    /// <param name="bytesMax">Over all parts; only a first batch that is larger may exceed it.</param>
    /// <param name="minBytes">Below it the answer waits.</param>
    /// <param name="waitMs">At most so long.</param>
    /// <param name="connectionGone">Ends the wait; the answer is then abandoned.</param>
    public ValueTask RunAsync(IFetchAnswer fetchAnswer, int bytesMax, int minBytes, int waitMs, CancellationToken connectionGone)
    {
        Invariant.Holds(phase == (int)FetchPhase.Idle);
        done.Reset();
        answer = fetchAnswer;
        bytesLeft = bytesMax;
        bytesGot = 0;
        bytesMin = Math.Min(minBytes, bytesMax);
        cancellation = connectionGone;
        waitLimitMs = waitMs;
        timerFired = waitMs <= 0;
        timerSet = false;
        failed = false;
        for (int i = 0; i < count; i++)
        {
            failed |= parts[i].Failed;
        }

        Volatile.Write(ref phase, (int)FetchPhase.Reading);
        short version = done.Version;
        ReadDue();
        return new ValueTask(this, version);
    }

    public void Completed(ReadCommand command, in ReadResult result)
    {
        parts[command.Tag].Result = result;
        if (Interlocked.Decrement(ref outstanding) == 0)
        {
            GoOn();
        }
    }

    /// <summary>A waiter has fired, the time is up, or the connection is gone. From any thread, also late or without reason.</summary>
    public void Woken()
    {
        if (Interlocked.CompareExchange(ref phase, (int)FetchPhase.Reading, (int)FetchPhase.Waiting) == (int)FetchPhase.Waiting)
        {
            Resume();
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => done.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        done.OnCompleted(continuation, state, token, flags);

    public void GetResult(short token) => done.GetResult(token);

    /// <summary>A round: every due part is read, in as many waves as the bytes left ask for.</summary>
    private void ReadDue()
    {
        cursor = 0;
        starved = null;
        if (IssueWave())
        {
            GoOn();
        }
    }

    /// <summary>
    /// Grants bytes to the due parts in the client's order until none are left, and reads. Only the first read of an answer that is still
    /// empty may bring a batch larger than its grant; so an answer never holds more than bytesMax and one batch.
    /// </summary>
    /// <returns>True when all its reads completed meanwhile, and the caller goes on; else the last completion does.</returns>
    private bool IssueWave()
    {
        bool first = bytesGot == 0;
        long toGrant = bytesLeft;
        Volatile.Write(ref outstanding, 1);
        waveFrom = cursor;
        for (; cursor < count; cursor++)
        {
            FetchPart part = parts[cursor];
            if (!part.Due)
            {
                continue;
            }

            int room = part.BytesMax - Math.Min(part.BytesMax, part.BatchBytes);
            if (!first && toGrant <= 0)
            {
                // The next wave goes on here, when the reads of this one bring less than they were granted.
                break;
            }

            part.Due = false;
            if (room == 0 && bytesGot > 0)
            {
                // Nothing more of it comes into this answer, so it waits for nothing either: what it has already would wake it at once, for ever.
                part.Blocked = true;
                continue;
            }

            int granted = (int)Math.Min(room, Math.Max(0, toGrant));
            toGrant -= granted;
            part.InWave = true;
            part.Command.Offset = part.NextOffset;
            part.Command.BytesMax = granted;
            part.Command.AtLeastOne = first;
            first = false;
            Interlocked.Increment(ref outstanding);
            node.Broker.Read(part.Command);
        }

        return Interlocked.Decrement(ref outstanding) == 0;
    }

    /// <summary>All reads of a wave are complete. A loop, not a recursion: reads mostly complete at once, and waves may be many.</summary>
    private void GoOn()
    {
        do
        {
            for (int i = waveFrom; i < cursor; i++)
            {
                if (parts[i].InWave)
                {
                    parts[i].InWave = false;
                    TakeIn(parts[i]);
                }
            }

            if (cursor < count && bytesLeft > 0)
            {
                continue;
            }

            if (bytesGot == 0 && starved is not null && !failed)
            {
                // The first read found nothing, a later one found a batch larger than its grant: progress needs it whole.
                starved.Due = true;
                starved.Blocked = false;
                starved = null;
                cursor = 0;
                continue;
            }

            if (failed || timerFired || bytesGot >= bytesMin || bytesLeft <= 0 || cancellation.IsCancellationRequested)
            {
                Finish();
                return;
            }

            Arm();
            return;
        }
        while (IssueWave());
    }

    private void TakeIn(FetchPart part)
    {
        ReadResult result = part.Result;
        part.Result = default;
        if (result.Outcome != ReadOutcome.Ok)
        {
            // What was read of it before is dropped with it: the client acts on the error first.
            bytesGot -= part.BatchBytes;
            bytesLeft += part.BatchBytes;
            failed = true;
            part.Fail(ErrorMap.Of(result.Outcome), result.HighWatermark, result.LogStartOffset);
            return;
        }

        part.Keep(in result);
        bytesGot += result.SizeBytes;
        bytesLeft -= result.SizeBytes;
        if (result.SizeBytes > 0)
        {
            part.NextOffset = OffsetBehind(result.Batches[^1].Span);
            part.EmptyAt = -1;
            part.Blocked = part.BatchBytes >= part.BytesMax;
        }
        else if (part.NextOffset < part.HighWatermark && !part.Command.AtLeastOne)
        {
            part.Blocked = true;
            starved ??= part;
        }
        else
        {
            // The high watermark may have moved while the read was under way: only the second time is it known that nothing lies below it.
            part.WaitOffset = part.EmptyAt == part.HighWatermark ? Math.Max(part.NextOffset, part.HighWatermark) : part.NextOffset;
            part.EmptyAt = part.HighWatermark;
            return;
        }

        part.WaitOffset = part.NextOffset;
    }

    private static long OffsetBehind(ReadOnlySpan<byte> batches)
    {
        var each = new RecordBatchEnumerator(batches);
        long next = 0;
        while (each.TryNext(out RecordBatchHeader header, out _))
        {
            next = header.NextOffset;
        }

        return next;
    }

    private void Arm()
    {
        Volatile.Write(ref phase, (int)FetchPhase.Arming);
        if (!timerSet)
        {
            timerSet = true;
            SetTimer();
        }

        for (int i = 0; i < count; i++)
        {
            FetchPart part = parts[i];
            if (part.Waiter is null && !part.Blocked)
            {
                part.Waiter = new FetchWaiter(this);
                node.Broker.WaitForRecords(part.Command.Group, part.WaitOffset, part.Waiter);
            }
        }

        Volatile.Write(ref phase, (int)FetchPhase.Waiting);
        Interlocked.MemoryBarrier();

        // Whatever happened while arming found the phase not yet Waiting and left it to this thread.
        if (timerFired || cancellation.IsCancellationRequested || AnyFired())
        {
            Woken();
        }
    }

    private bool AnyFired()
    {
        foreach (FetchPart part in CollectionsMarshal.AsSpan(parts)[..count])
        {
            if (part.Waiter is { Fired: true })
            {
                return true;
            }
        }

        return false;
    }

    private void Resume()
    {
        bool any = false;
        for (int i = 0; i < count; i++)
        {
            FetchPart part = parts[i];
            if (part.Waiter is { Fired: true })
            {
                part.Waiter = null;
                part.Due = true;
                any = true;
            }
        }

        if (cancellation.IsCancellationRequested || (timerFired && !any))
        {
            Finish();
        }
        else if (any)
        {
            ReadDue();
        }
        else
        {
            // A late wake of an earlier fetch: wait on.
            Arm();
        }
    }

    private void SetTimer()
    {
        timer = node.Timers.CreateTimer(
            static state => ((FetchOperation)state!).TimeUp(),
            this,
            TimeSpan.FromMilliseconds(waitLimitMs),
            Timeout.InfiniteTimeSpan);
        registration = cancellation.UnsafeRegister(static state => ((FetchOperation)state!).Woken(), this);
    }

    /// <summary>Perhaps the timer of an earlier fetch that was answered at the same moment: then this one is answered early, which is allowed.</summary>
    private void TimeUp()
    {
        timerFired = true;
        Woken();
    }

    private void Finish()
    {
        Span<FetchPart> used = CollectionsMarshal.AsSpan(parts)[..count];
        foreach (FetchPart part in used)
        {
            if (part.Waiter is { } waiter)
            {
                part.Waiter = null;
                node.Broker.StopWaiting(part.Command.Group, waiter);
            }
        }

        if (timerSet)
        {
            timer!.Dispose();
            timer = null;
            registration.Unregister();
            registration = default;
        }

        if (cancellation.IsCancellationRequested)
        {
            answer.Abandon();
        }
        else
        {
            answer.Complete(used);
        }

        foreach (FetchPart part in used)
        {
            part.Clear();
        }

        if (parts.Count > PartsKeptMax)
        {
            parts.RemoveRange(PartsKeptMax, parts.Count - PartsKeptMax);
        }

        count = 0;
        answer = null!;
        cancellation = default;
        Volatile.Write(ref phase, (int)FetchPhase.Idle);
        done.SetResult(true);
    }
}
