using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace RaftMq.Testing.Processes;

/// <summary>
/// A process that a test started: its output is kept line by line, it is killed when this is disposed, and the kernel kills it when the
/// test's own process dies.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const int Terminated = 15;
    private const int Killed = 9;

    private readonly Process process;
    private readonly string what;
    private readonly StreamWriter? log;

    // Guards output, scanned and the log file: the two pumps write, tests read.
    private readonly Lock gate = new();
    private readonly List<string> output = [];
    private TaskCompletionSource changed = NewChange();

    private ChildProcess(Process process, string what, StreamWriter? log)
    {
        this.process = process;
        this.what = what;
        this.log = log;
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    /// <param name="program">Path or name of the program.</param>
    /// <param name="arguments">Its arguments, not quoted.</param>
    /// <param name="environment">Added to this process's own environment, from which all RAFTMQ_ variables are taken out.</param>
    /// <param name="logFile">Where its output is appended besides being kept; null for nowhere.</param>
    /// <param name="input">A file that is its standard input; null: it has none.</param>
    public static async Task<ChildProcess> StartAsync(
        string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? logFile = null,
        string? input = null)
    {
        ProcessStartInfo start = new("setpriv")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (string argument in (string[])["--pdeathsig", "KILL", "--", program, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("RAFTMQ_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        Process process = await ChildStarter.StartAsync(start);
        StreamWriter? log = logFile is null ? null : new StreamWriter(logFile, append: true) { AutoFlush = true };
        ChildProcess child = new(process, Path.GetFileName(program), log);
        process.OutputDataReceived += (_, line) => child.Take(line.Data);
        process.ErrorDataReceived += (_, line) => child.Take(line.Data);
        process.Exited += (_, _) => child.Change();
        process.EnableRaisingEvents = true;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (input is not null)
        {
            await using FileStream bytes = File.OpenRead(input);
            await bytes.CopyToAsync(process.StandardInput.BaseStream);
        }

        process.StandardInput.Close();
        return child;
    }

    /// <summary>What it wrote so far, both streams in the order of arrival.</summary>
    public IReadOnlyList<string> Output
    {
        get
        {
            lock (gate)
            {
                return [.. output];
            }
        }
    }

    /// <summary>The end of what it wrote, for a message.</summary>
    public string Tail(int lines = 40) => string.Join('\n', Output.TakeLast(lines));

    /// <summary>kill -9: nothing is flushed, nothing is said.</summary>
    public void Kill() => Signal(Killed);

    /// <summary>Asks it to stop.</summary>
    public void Terminate() => Signal(Terminated);

    /// <returns>The first line, from number <paramref name="from"/> on, that begins with the prefix.</returns>
    /// <exception cref="TimeoutException">None came, or the process ended without it; the message shows what it wrote.</exception>
    public async Task<string> WaitForLineAsync(string prefix, TimeSpan within, CancellationToken cancellation, int from = 0)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(within);
        int scanned = from;
        while (true)
        {
            Task change;
            bool ended = process.HasExited;
            lock (gate)
            {
                for (; scanned < output.Count; scanned++)
                {
                    if (output[scanned].StartsWith(prefix, StringComparison.Ordinal))
                    {
                        return output[scanned];
                    }
                }

                change = changed.Task;
            }

            if (ended)
            {
                // Lines may still be on their way through the pumps.
                await process.WaitForExitAsync(cancellation);
                if (Output.Skip(scanned).FirstOrDefault(line => line.StartsWith(prefix, StringComparison.Ordinal)) is { } late)
                {
                    return late;
                }

                throw new TimeoutException($"{what} ended with {process.ExitCode} and never wrote '{prefix}'. It wrote:\n{Tail()}");
            }

            try
            {
                await change.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException(
                    $"{what} did not write '{prefix}' within {within.TotalSeconds} s. It wrote:\n{Tail()}", late);
            }
        }
    }

    /// <returns>The exit code; all output has arrived.</returns>
    /// <exception cref="TimeoutException">It still runs; the message shows what it wrote.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan within, CancellationToken cancellation)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(within);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"{what} still runs after {within.TotalSeconds} s. It wrote:\n{Tail()}", late);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            Kill();
        }

        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        if (log is not null)
        {
            await log.DisposeAsync();
        }
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SendSignal(int process, int signal);

    private void Signal(int signal)
    {
        if (!process.HasExited)
        {
            _ = SendSignal(process.Id, signal);
        }
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (gate)
        {
            output.Add(line);
            log?.WriteLine(line);
        }

        Change();
    }

    private void Change()
    {
        lock (gate)
        {
            changed.SetResult();
            changed = NewChange();
        }
    }
}
