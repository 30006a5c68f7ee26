using Microsoft.Extensions.Logging;
using RaftMq.Server.Configuration;
using RaftMq.Server.Disk;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Hosting;

/// <summary>A process that logs more than a pipe takes, says so on standard error, and ends itself.</summary>
internal static class FatalLogChild
{
    public const string Command = "fatal-log-child";

    public const string Logged = "logged";

    /// <summary>Above the 64 KiB of a pipe, and below the 2,500 that the logger's queue takes.</summary>
    public const int Lines = 1000;

    /// <summary>Arguments: the command, and the milliseconds that the log may take.</summary>
    public static int Run(string[] args)
    {
        ILoggerFactory loggers = Host.CreateLoggers(new ServerOptions());
        ILogger logger = loggers.CreateLogger("RaftMq");
        for (int n = 0; n < Lines; n++)
        {
            Host.LogWarning(logger, $"line {n} {new string('x', 200)}");
        }

        // Console.Error would wait for the log.
        LibC.WriteToStandardError($"{Logged}\n");
        ProcessEnd.Fatal("a test", new InvalidOperationException("as asked"), loggers, TimeSpan.FromMilliseconds(int.Parse(args[1])));
        return ExitCodes.Stopped;
    }
}
