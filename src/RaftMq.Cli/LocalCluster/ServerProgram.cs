using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RaftMq.Cli.LocalCluster;

/// <summary>The server's program: beside a published command, or built from the checkout that the command was built in.</summary>
internal static class ServerProgram
{
    private const string Name = "RaftMq.Server";
    private const int BuildLinesShown = 10;
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(10);

    /// <summary>The path of the executable, built now if it belongs to a checkout.</summary>
    /// <exception cref="CommandFailedException">There is none, it does not build, or the SDK does not fit.</exception>
    public static async Task<string> FindOrBuildAsync(TextWriter progress, CancellationToken cancellation)
    {
        string here = AppContext.BaseDirectory;
        foreach (string folder in new[] { Path.Combine(here, "server"), here })
        {
            // A build of the command holds no server; a published one does.
            if (File.Exists(Path.Combine(folder, Name)) && File.Exists(Path.Combine(folder, Name + ".dll")))
            {
                return Path.Combine(folder, Name);
            }
        }

        if (FindCheckout(here) is not { } root)
        {
            throw new CommandFailedException(
                ExitCodes.NoServer, $"There is no {Name} beside {here} and no checkout above it; publish with dotnet publish src/RaftMq.Cli.");
        }

        string project = Path.Combine(root, "src", Name, Name + ".csproj");
        await progress.WriteLineAsync($"building {Name} (Release); the first time this takes a minute or two, later some seconds ...");
        (int code, List<string> lines) = await WithProgressAsync(BuildAsync(root, project, cancellation), progress);
        string program = Path.Combine(root, "src", Name, "bin", "Release", "net10.0", Name);
        if (code == 0 && File.Exists(program))
        {
            return program;
        }

        throw Explain(code, lines);
    }

    /// <summary>Says every now and then that it still goes on.</summary>
    internal static async Task<T> WithProgressAsync<T>(Task<T> work, TextWriter progress, TimeSpan? sayEvery = null)
    {
        long started = Stopwatch.GetTimestamp();
        while (await Task.WhenAny(work, Task.Delay(sayEvery ?? SayEvery)) != work)
        {
            await progress.WriteLineAsync($"still building after {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s (Ctrl-C ends it) ...");
        }

        return await work;
    }

    /// <summary>Where the runtime of this process is installed: what DOTNET_ROOT must say for an executable to find it.</summary>
    public static string DotnetRoot() =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    internal static CommandFailedException Explain(int code, IReadOnlyList<string> lines)
    {
        if (lines.FirstOrDefault(IsAboutSdk) is { } sdk)
        {
            return new CommandFailedException(ExitCodes.WrongSdk, $"RaftMq is built with the .NET 10 SDK: {sdk.Trim()}");
        }

        string[] errors = [.. lines.Where(line => line.Contains("error", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal)];
        string[] shown = [.. (errors.Length > 0 ? errors : [.. lines]).TakeLast(BuildLinesShown)];
        return new CommandFailedException(
            ExitCodes.NoServer, $"The server does not build (dotnet build ended with {code}):{Environment.NewLine}{string.Join(Environment.NewLine, shown)}");
    }

    internal static string? FindCheckout(string from)
    {
        for (DirectoryInfo? folder = new(from); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "src", Name, Name + ".csproj")))
            {
                return folder.FullName;
            }
        }

        return null;
    }

    // The host's own message, and the build's for a target framework that the SDK does not know.
    private static bool IsAboutSdk(string line) =>
        line.Contains("compatible .NET SDK was not found", StringComparison.OrdinalIgnoreCase)
        || line.Contains("No .NET SDKs were found", StringComparison.OrdinalIgnoreCase)
        || line.Contains("NETSDK1045", StringComparison.Ordinal);

    private static async Task<(int Code, List<string> Lines)> BuildAsync(string root, string project, CancellationToken cancellation)
    {
        string host = Path.Combine(DotnetRoot(), "dotnet");
        var start = new ProcessStartInfo(File.Exists(host) ? host : "dotnet")
        {
            WorkingDirectory = root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in new[] { "build", project, "-c", "Release", "-v", "quiet", "--nologo", "-clp:NoSummary" })
        {
            start.ArgumentList.Add(argument);
        }

        // `dotnet run` leaves these to its program; they would send the build to another one's MSBuild.
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment.Remove("MSBUILD_EXE_PATH");
        start.Environment.Remove("MSBuildExtensionsPath");

        // A node that stays behind would keep the folder busy.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        List<string> lines = [];
        try
        {
            using Process build = Process.Start(start)!;
            build.OutputDataReceived += (_, line) => Add(lines, line.Data);
            build.ErrorDataReceived += (_, line) => Add(lines, line.Data);
            build.BeginOutputReadLine();
            build.BeginErrorReadLine();
            try
            {
                await build.WaitForExitAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                build.Kill(entireProcessTree: true);
                throw;
            }

            return (build.ExitCode, lines);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new CommandFailedException(ExitCodes.WrongSdk, $"The .NET 10 SDK is needed to build the server: {missing.Message}");
        }
    }

    private static void Add(List<string> lines, string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            lock (lines)
            {
                lines.Add(line);
            }
        }
    }
}
