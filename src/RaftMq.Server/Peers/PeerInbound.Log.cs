using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Peers;

internal sealed partial class PeerInbound
{
    [LoggerMessage(1211, LogLevel.Debug, "Connection from {Remote} ended: {Reason}")]
    private partial void LogEnded(string remote, string reason);

    [LoggerMessage(1212, LogLevel.Warning, "Connection from {Remote} closed: {Reason}")]
    private partial void LogRefused(string remote, string reason);
}
