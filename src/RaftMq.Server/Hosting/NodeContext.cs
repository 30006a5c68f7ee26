using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Server.Configuration;

namespace RaftMq.Server.Hosting;

/// <summary>What a node is made of, once the ports are known.</summary>
/// <param name="Listeners">Where clients, and under the names here other nodes and the command line, reach this one.</param>
internal sealed record NodeContext(ServerOptions Options, INodeEnvironment Environment, ImmutableArray<ListenerAddress> Listeners)
{
    /// <summary>The name under which a node tells the cluster where other nodes dial it; no listener for clients may have it.</summary>
    public const string PeersListener = ListenerAddress.Peers;

    /// <summary>The name under which a node tells where its HTTP is; no listener for clients may have it.</summary>
    public const string HttpListener = ListenerAddress.Http;
}
