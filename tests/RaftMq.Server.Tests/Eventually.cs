using System.Diagnostics;

namespace RaftMq.Server.Tests;

/// <summary>Waits for a condition with a deadline; says what was seen instead.</summary>
internal static class Eventually
{
    public static Task HoldsAsync(Func<bool> condition, Func<string> seen, int deadlineMs = 10_000) =>
        HoldsAsync(() => Task.FromResult(condition()), seen, deadlineMs);

    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> seen, int deadlineMs = 10_000)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start).TotalMilliseconds > deadlineMs)
            {
                Assert.Fail($"Not within {deadlineMs} ms; seen: {seen()}");
            }

            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
