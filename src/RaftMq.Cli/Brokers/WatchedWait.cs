using System.Diagnostics;
using System.Globalization;

namespace RaftMq.Cli.Brokers;

/// <summary>A wait that says what it waits for.</summary>
/// <param name="noticeTime">So often it says so, first after this time; once where it has no end.</param>
/// <param name="timeLimit">Then it ends; infinite: only with what is waited for.</param>
/// <param name="warn">Takes the sentences.</param>
internal sealed class WatchedWait(TimeSpan noticeTime, TimeSpan timeLimit, Func<string, Task> warn)
{
    /// <param name="work">What is waited for. Its token is cancelled when the wait ends.</param>
    /// <param name="waits">Given the time: the sentence, without its full stop.</param>
    /// <param name="cancellation">Ends the wait before its time.</param>
    /// <exception cref="TimeoutException">The time is over; the message is the last sentence.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, Func<string, string> waits, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(timeLimit);
        try
        {
            Task<T> working = work(ending.Token);
            while (await Task.WhenAny(working, Task.Delay(noticeTime, ending.Token)) != working && !ending.IsCancellationRequested)
            {
                string told = waits(Told(Stopwatch.GetElapsedTime(started)));
                if (timeLimit == Timeout.InfiniteTimeSpan)
                {
                    await warn($"{told}. Waiting on.");
                    break;
                }

                await warn($"{told}. Waiting on, until {Told(timeLimit)} are over.");
            }

            // Work that does not end with its token is left behind: the wait has an end.
            return await working.WaitAsync(ending.Token);
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"{waits(Told(timeLimit))}.", late);
        }
        finally
        {
            // Takes the timers away.
            await ending.CancelAsync();
        }
    }

    private static string Told(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{(time.TotalSeconds < 1 ? time.TotalSeconds : Math.Floor(time.TotalSeconds)):0.#} s");
}
