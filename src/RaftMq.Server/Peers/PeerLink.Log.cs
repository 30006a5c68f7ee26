using Microsoft.Extensions.Logging;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

internal sealed partial class PeerLink
{
    [LoggerMessage(1201, LogLevel.Information, "Connected to {Node} at {Address}")]
    private partial void LogConnected(NodeId node, PeerAddress address);

    [LoggerMessage(1202, LogLevel.Warning, "Connection to {Node} is lost")]
    private partial void LogLost(NodeId node);

    [LoggerMessage(1203, LogLevel.Warning, "No connection to {Node} at {Address}, trying on: {Fault}")]
    private partial void LogNotConnected(NodeId node, PeerAddress address, string fault);

    [LoggerMessage(1204, LogLevel.Warning,
        "{Node} at {Address} breaks connections as soon as they are made, {Times} in a row so far; look at its log. Said again at most every {Interval}")]
    private partial void LogShort(NodeId node, PeerAddress address, int times, TimeSpan interval);

    [LoggerMessage(1205, LogLevel.Error, "{Reason} Dialled again after at most {RetryMax}; said again at most every {Interval}")]
    private partial void LogRefused(string reason, TimeSpan retryMax, TimeSpan interval);
}
