using System.Diagnostics;

namespace RaftMq.Testing;

/// <summary>Waits for a condition with a deadline, instead of sleeping and hoping; says what was seen instead.</summary>
public static class Eventually
{
    private const int LookEveryMs = 5;

    /// <param name="condition">Asked again and again; it should cost little.</param>
    /// <param name="seen">What is the case instead, for the message.</param>
    /// <param name="deadlineMs">Long: it is waited out only where something is wrong, and machines are busy.</param>
    /// <exception cref="TimeoutException">It did not come to hold.</exception>
    public static Task HoldsAsync(Func<bool> condition, Func<string> seen, int deadlineMs = 10_000) =>
        HoldsAsync(() => Task.FromResult(condition()), seen, deadlineMs);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, Func{string}, int)"/>
    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> seen, int deadlineMs = 10_000)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start).TotalMilliseconds > deadlineMs)
            {
                throw new TimeoutException($"Not within {deadlineMs} ms; seen: {seen()}");
            }

            await Task.Delay(LookEveryMs);
        }
    }
}
