using Microsoft.Extensions.Logging;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

internal sealed partial class PeerLink
{
    [LoggerMessage(1201, LogLevel.Information, "Connected to {Node} at {Host}:{Port}")]
    private partial void LogConnected(NodeId node, string host, int port);

    [LoggerMessage(1202, LogLevel.Warning, "Connection to {Node} is lost")]
    private partial void LogLost(NodeId node);

    [LoggerMessage(1203, LogLevel.Warning, "No connection to {Node} at {Host}:{Port}, trying on: {Fault}")]
    private partial void LogNotConnected(NodeId node, string host, int port, string fault);
}
