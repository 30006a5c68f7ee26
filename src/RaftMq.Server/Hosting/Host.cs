using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using RaftMq.Server.Configuration;
using RaftMq.Server.Disk;
using RaftMq.Server.Telemetry;
using RaftMq.Storage.Files;
using RaftMq.Storage.Recovery;

namespace RaftMq.Server.Hosting;

/// <summary>The whole life of the process, from accepted options to the exit code.</summary>
internal static partial class Host
{
    private const int ExitOnSecondSignal = 130;

    public static async Task<int> RunAsync(ServerOptions options, IReadOnlyList<string> warnings)
    {
        using ILoggerFactory loggers = CreateLoggers(options);
        void Fatal(string where, Exception cause) => ProcessEnd.Fatal(where, cause, loggers, ProcessEnd.LogTimeMax);
        AppDomain.CurrentDomain.UnhandledException += (_, raised) =>
            Fatal("unhandled exception", raised.ExceptionObject as Exception ?? new InvalidOperationException("unknown"));
        ILogger logger = loggers.CreateLogger("RaftMq");
        foreach (string warning in warnings)
        {
            LogWarning(logger, warning);
        }

        using var collections = new CollectionPace();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Asked(signal, asked));
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Asked(signal, asked));
        try
        {
            await using var process = new NodeProcess(options, loggers, Fatal, NodeFactory.Create);
            process.Prepare();
            if (JournalRoom.Look(options, JournalRoom.FreeBytesOf) is { } tight)
            {
                NodeEventLog.Write(logger, tight);
            }

            await process.StartAsync();
            Task first = await Task.WhenAny(asked.Task, FailureOfAsync(process.Ready), FailureOfAsync(process.Removed));
            await first;
            LogStopping(logger);
            await process.DrainAsync();
        }
        catch (CannotStartException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCodes.CannotStart;
        }
        catch (StoreRefusedException exception)
        {
            await Console.Error.WriteLineAsync($"The data in {options.DataFolder} can't be used: {exception.Message}");
            return ExitCodes.CannotStart;
        }
        catch (JournalRefusedException exception)
        {
            await Console.Error.WriteLineAsync($"The data in {options.DataFolder} can't be used: {exception.Message}");
            return ExitCodes.CannotStart;
        }
        catch (DiskFullException exception)
        {
            await Console.Error.WriteLineAsync($"There is no room to start on {options.DataFolder}: {exception.Message}");
            return ExitCodes.CannotStart;
        }
        catch (DamagedException exception)
        {
            await Console.Error.WriteLineAsync($"The data in {options.DataFolder} can't be used: {exception.Message}");
            return ExitCodes.CannotStart;
        }
#pragma warning disable CA1031 // The top of the process.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fatal("start", exception);
        }

        return ExitCodes.Stopped;
    }

    private static void Asked(PosixSignalContext signal, TaskCompletionSource asked)
    {
        signal.Cancel = true;
        if (!asked.TrySetResult())
        {
            // Asked a second time: now.
            LibC.ExitNow(ExitOnSecondSignal);
        }
    }

    /// <summary>Never ends unless the task fails.</summary>
    private static async Task FailureOfAsync(Task task)
    {
        await task;
        await Task.Delay(Timeout.Infinite);
    }

    internal static ILoggerFactory CreateLoggers(ServerOptions options) => LoggerFactory.Create(logging =>
    {
        LogLevel level = options.LogLevel;
        logging
            .SetMinimumLevel(level)
            .AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning)

            // One line for each connection above the limit would fill the disk; the metric of open ones stands at its limit then.
            .AddFilter("Microsoft.AspNetCore.Server.Kestrel.Connections", level > LogLevel.Error ? level : LogLevel.Error);
        if (options.LogFormat == LogFormat.Json)
        {
            logging.AddConsole(static console => console.FormatterName = JsonLogFormatter.FormatterName);
            logging.AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>(static console => Stamp(console, ""));
            return;
        }

        logging.AddSimpleConsole(console =>
        {
            Stamp(console, " ");
            console.SingleLine = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    });

    private static void Stamp(ConsoleFormatterOptions console, string behind)
    {
        console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'" + behind;
        console.UseUtcTimestamp = true;
    }

    [LoggerMessage(1021, LogLevel.Warning, "{Warning}")]
    internal static partial void LogWarning(ILogger logger, string warning);

    [LoggerMessage(1022, LogLevel.Information, "Stopping")]
    private static partial void LogStopping(ILogger logger);
}
