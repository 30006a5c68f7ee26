using System.Collections;
using System.Reflection;
using RaftMq.Server.Configuration;
using RaftMq.Server.Hosting;
using RaftMq.Server.Sockets;

if (!OperatingSystem.IsLinux())
{
    await Console.Error.WriteLineAsync("RaftMq runs on Linux only: elsewhere a flush does not promise that data survives a power cut.");
    return ExitCodes.CannotStart;
}

SocketThreads.ContinueWhereBytesArrive();
Dictionary<string, string> environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
    .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
switch (ConfigurationReader.Read(args, environment))
{
    case ConfigurationResult.HelpWanted:
        await Console.Out.WriteAsync(ConfigurationHelp.Text());
        return ExitCodes.Stopped;
    case ConfigurationResult.VersionWanted:
        await Console.Out.WriteLineAsync(
            $"RaftMq.Server {typeof(Host).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion}");
        return ExitCodes.Stopped;
    case ConfigurationResult.Refused refused:
        await Console.Error.WriteLineAsync("The configuration can't be used:");
        foreach (string fault in refused.Faults)
        {
            await Console.Error.WriteLineAsync($"  {fault}");
        }

        return ExitCodes.Configuration;
    case ConfigurationResult.Accepted accepted:
        return await Host.RunAsync(accepted.Options, accepted.Warnings);
    default:
        throw new System.Diagnostics.UnreachableException();
}
