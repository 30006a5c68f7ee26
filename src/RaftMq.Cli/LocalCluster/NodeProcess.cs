using System.Diagnostics;

namespace RaftMq.Cli.LocalCluster;

/// <summary>
/// One server process. Its output goes to <c>node-K.log</c> in the data folder. It stands in a session of its own, so that Ctrl-C reaches
/// it through this command only, and the system ends it when this command dies (both by tools of util-linux, where they are there).
/// </summary>
internal sealed class NodeProcess : IDisposable
{
    private const string SetPriv = "/usr/bin/setpriv";
    private const string SetSid = "/usr/bin/setsid";

    private readonly Process process;
    private readonly StreamWriter log;
    private readonly Lock gate = new();
    private string lastLine = "";

    private NodeProcess(Process process, StreamWriter log)
    {
        this.process = process;
        this.log = log;
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>Only after the exit; 128 and the signal's number when one ended it.</summary>
    public int ExitCode => process.ExitCode;

    /// <summary>The last line it wrote, errors included; empty before the first.</summary>
    public string LastLine
    {
        get
        {
            lock (gate)
            {
                return lastLine;
            }
        }
    }

    /// <summary>Must be called on a thread that lives as long as this command: the system ends the child with the thread that made it.</summary>
    public static NodeProcess Start(string program, IReadOnlyList<string> arguments, string logPath)
    {
        List<string> line = [];
        if (File.Exists(SetPriv))
        {
            line.AddRange([SetPriv, "--pdeathsig", "TERM"]);
        }

        if (File.Exists(SetSid))
        {
            line.Add(SetSid);
        }

        line.Add(program);
        line.AddRange(arguments);
        var start = new ProcessStartInfo(line[0])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (string argument in line.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["DOTNET_ROOT"] = ServerProgram.DotnetRoot();
        var log = new StreamWriter(logPath, append: true) { AutoFlush = true };
        var node = new NodeProcess(Process.Start(start)!, log);
        node.process.OutputDataReceived += (_, data) => node.Wrote(data.Data);
        node.process.ErrorDataReceived += (_, data) => node.Wrote(data.Data);
        node.process.BeginOutputReadLine();
        node.process.BeginErrorReadLine();
        node.process.StandardInput.Close();
        return node;
    }

    public Task WaitForExitAsync(CancellationToken cancellation) => process.WaitForExitAsync(cancellation);

    /// <summary>Asks it to hand over and stop.</summary>
    public void Terminate() => Signal("TERM");

    public void Kill()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }
    }

    public void Dispose()
    {
        process.Dispose();
        lock (gate)
        {
            log.Dispose();
        }
    }

    private void Signal(string name)
    {
        if (process.HasExited)
        {
            return;
        }

        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", $"kill -{name} {process.Id}" }, RedirectStandardError = true };
        using Process? kill = Process.Start(start);
        kill?.WaitForExit();
    }

    private void Wrote(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (gate)
        {
            if (log.BaseStream.CanWrite)
            {
                log.WriteLine(line);
            }

            if (line.Length > 0 && !char.IsWhiteSpace(line[0]))
            {
                lastLine = line;
            }
        }
    }
}
