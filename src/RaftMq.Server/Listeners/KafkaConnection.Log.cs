using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Listeners;

internal sealed partial class KafkaConnection
{
    [LoggerMessage(1101, LogLevel.Debug, "Connection from {Remote} on listener {Listener} closed: {Reason}")]
    private partial void LogClosed(string remote, string listener, string reason);

    [LoggerMessage(1102, LogLevel.Error, "Connection from {Remote} failed inside the node and was closed")]
    private partial void LogFailed(string remote, Exception exception);
}
