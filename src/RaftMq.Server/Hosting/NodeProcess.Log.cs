using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Hosting;

internal sealed partial class NodeProcess
{
    [LoggerMessage(1011, LogLevel.Information, "Node {Node} is ready: kafka {Kafka}, http {Http}, peers {Peers}")]
    private partial void LogReady(int node, object kafka, object http, object peers);

    [LoggerMessage(1012, LogLevel.Information, "Leadership is handed over and checkpoints are written")]
    private partial void LogDrained();

    [LoggerMessage(1013, LogLevel.Warning, "Leadership could not be handed over within {Limit}; stopping all the same")]
    private partial void LogNotDrained(TimeSpan limit);
}
