using System.Diagnostics;
using System.Globalization;
using RaftMq.Cli.LocalCluster;
using RaftMq.Testing;
using RaftMq.Testing.Processes;

namespace RaftMq.Cli.Tests.LocalCluster;

/// <summary>
/// The command as a user has it after <c>dotnet publish</c>, in a temporary folder: its own files, and a folder <c>server</c> beside it,
/// which here leads to the server that was built with the tests. Processes started from it end with this.
/// </summary>
internal sealed class InstalledCommand : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<ChildProcess> started = [];

    /// <param name="withServer">False: there is no server, as in a checkout that was not published.</param>
    public InstalledCommand(bool withServer = true)
    {
        string built = Path.Combine(Repository.Root, "src", "RaftMq.Cli", "bin", "Release", "net10.0");
        string installed = Directory.CreateDirectory(Path.Combine(Folder, "raftmq")).FullName;
        foreach (string file in Directory.EnumerateFiles(built))
        {
            File.Copy(file, Path.Combine(installed, Path.GetFileName(file)));
        }

        if (withServer)
        {
            Directory.CreateSymbolicLink(Path.Combine(installed, "server"), Path.GetDirectoryName(Repository.ServerProgram)!);
        }
    }

    public static string Dotnet => Path.Combine(ServerProgram.DotnetRoot(), "dotnet");

    public string Folder { get; } = Directory.CreateTempSubdirectory("raftmq-installed-").FullName;

    public string Data => Path.Combine(Folder, "data");

    public string Program => Path.Combine(Folder, "raftmq", "raftmq.dll");

    /// <summary>A first port with which no node of a cluster of three meets a port in use.</summary>
    public static int FreeBasePort()
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            int port = Random.Shared.Next(11_000, 31_000);
            if (Enumerable.Range(0, 3).SelectMany(node => NodePorts.Of(node, port).All).All(used => PortOwner.IsFree(used.Port)))
            {
                return port;
            }
        }

        throw new InvalidOperationException("There are no twelve free ports.");
    }

    /// <summary>Starts <c>raftmq</c>. Ctrl-C works on it also where the test itself was started with SIGINT ignored, as by nohup.</summary>
    public async Task<ChildProcess> StartAsync(params string[] arguments)
    {
        ChildProcess process = await ChildProcess.StartAsync("env", ["--default-signal=INT", Dotnet, Program, .. arguments]);
        started.Add(process);
        return process;
    }

    /// <summary>Runs <c>raftmq</c> to its end.</summary>
    /// <returns>Its exit code and everything it said.</returns>
    public async Task<(int Code, IReadOnlyList<string> Said)> RunAsync(params string[] arguments)
    {
        ChildProcess process = await StartAsync(arguments);
        int code = await process.WaitForExitAsync(Patience, TestContext.Current.CancellationToken);
        return (code, process.Output);
    }

    /// <summary>Runs <c>raftmq up</c>, which must refuse to start with one sentence.</summary>
    public async Task<string> RefusalAsync(int code, params string[] options)
    {
        (int actual, IReadOnlyList<string> said) = await RunAsync(["up", .. options]);
        Assert.True(actual == code, $"ended with {actual} and said: {string.Join('\n', said)}");
        return Assert.Single(said);
    }

    public static async Task SignalAsync(string signal, int process)
    {
        using Process kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {process}")]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public static Task GoneAsync(int process) => Eventually.HoldsAsync(
        () => !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}")), () => $"process {process} still runs",
        (int)Patience.TotalMilliseconds);

    public async ValueTask DisposeAsync()
    {
        foreach (ChildProcess process in started)
        {
            await process.DisposeAsync();
        }

        for (int attempt = 0; ; attempt++)
        {
            try
            {
                Directory.Delete(Folder, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 100)
            {
                // Nodes get their SIGTERM when the command dies; they may still write on their way out.
                await Task.Delay(50, CancellationToken.None);
            }
        }
    }
}
