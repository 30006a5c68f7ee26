using Microsoft.Extensions.Logging;
using RaftMq.Broker.Environment;

namespace RaftMq.Server.Hosting;

/// <summary>Writes a node's events into the log.</summary>
internal static class NodeEventLog
{
    public static void Write(ILogger logger, NodeEvent nodeEvent) => logger.Log(
        nodeEvent.Level switch
        {
            NodeEventLevel.Information => LogLevel.Information,
            NodeEventLevel.Warning => LogLevel.Warning,
            _ => LogLevel.Error,
        },
        new EventId((int)nodeEvent.Kind, nodeEvent.Name),
        new NodeEventState(nodeEvent),
        exception: null,
        static (state, _) => state.ToString());
}
