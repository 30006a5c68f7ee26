using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Hosting;

internal sealed partial class ServerEnvironment
{
    [LoggerMessage(1001, LogLevel.Information, "{Name}: {Text}")]
    private partial void LogInformation(string name, string text);

    [LoggerMessage(1002, LogLevel.Warning, "{Name}: {Text}")]
    private partial void LogWarning(string name, string text);

    [LoggerMessage(1003, LogLevel.Error, "{Name}: {Text}")]
    private partial void LogError(string name, string text);
}
