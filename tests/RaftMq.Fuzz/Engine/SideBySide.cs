using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace RaftMq.Fuzz.Engine;

/// <summary>
/// Runs each format in a process of its own, one per core at a time: what a process counts and allocates is one format's. Touches nothing of the product.
/// </summary>
internal static class SideBySide
{
    private const string Option = "--side-by-side";

    public static bool IsWanted(string[] arguments) => arguments.Contains(Option);

    /// <returns>0 when all held; else the worst that one of them ended with.</returns>
    public static int Run(string[] arguments)
    {
        long from = Stopwatch.GetTimestamp();
        string[] passed = [.. arguments.Where(static argument => argument != Option)];
        (int code, string listed) = RunOne([.. passed, "--list"]);
        if (code != 0)
        {
            return code;
        }

        string[] formats = listed.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        ConcurrentQueue<string> waiting = new(formats);
        Lock console = new();
        int worst = 0;
        bool isHeadTold = false;
        Thread[] workers = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work))];
        Array.ForEach(workers, static worker => worker.Start());
        Array.ForEach(workers, static worker => worker.Join());
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{formats.Length} formats, {workers.Length} at a time, in {Stopwatch.GetElapsedTime(from).TotalSeconds:F0} s"));
        return worst;

        void Work()
        {
            while (waiting.TryDequeue(out string? format))
            {
                (int ended, string told) = RunOne([.. WithoutFormats(passed), "--format", format]);
                lock (console)
                {
                    // Each begins with the line over the columns.
                    Console.Write(isHeadTold ? told[(told.IndexOf('\n', StringComparison.Ordinal) + 1)..] : told);
                    isHeadTold = true;
                    worst = Math.Max(worst, Math.Abs(ended));
                }
            }
        }
    }

    private static IEnumerable<string> WithoutFormats(string[] arguments)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--format")
            {
                i++;
                continue;
            }

            yield return arguments[i];
        }
    }

    private static (int Code, string Told) RunOne(string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!;
        string told = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, told);
    }
}
