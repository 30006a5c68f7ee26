using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Server.Configuration;
using RaftMq.Server.Listeners;

namespace RaftMq.Server.Hosting;

/// <summary>What this node says of itself: advertised addresses where given, else what it is bound to, with the real ports.</summary>
internal static class AdvertisedAddresses
{
    public static ImmutableArray<ListenerAddress> Of(ServerOptions options, IReadOnlyList<KafkaListener> listeners, HostPort peers, int httpPort)
    {
        ImmutableArray<ListenerAddress>.Builder addresses = ImmutableArray.CreateBuilder<ListenerAddress>();
        foreach (KafkaListener listener in listeners)
        {
            HostPort? advertised = options.AdvertisedListeners.FirstOrDefault(given => given.Name == listener.Name)?.Address;
            ListenerSetting setting = options.Listeners.First(given => given.Name == listener.Name);
            addresses.Add(new ListenerAddress(
                listener.Name, advertised?.Host ?? setting.Bind.Host, advertised?.Port ?? listener.Addresses[0].Port));
        }

        addresses.Add(new ListenerAddress(NodeContext.PeersListener, peers.Host, peers.Port));
        HostPort http = OfHttp(options, peers, httpPort);
        addresses.Add(new ListenerAddress(NodeContext.HttpListener, http.Host, http.Port));
        return addresses.ToImmutable();
    }

    /// <summary>What was given, else this node's entry in the list of initial nodes, else what is bound.</summary>
    public static HostPort OfPeers(ServerOptions options, int boundPort) =>
        options.PeersAdvertised
        ?? options.InitialNodes.FirstOrDefault(node => node.NodeId == options.NodeId)?.Address
        ?? new HostPort(options.PeersListen.Host, boundPort);

    /// <summary>What was given, else what is bound; where that is every address, the host under which the other nodes reach this one.</summary>
    private static HostPort OfHttp(ServerOptions options, HostPort peers, int boundPort) =>
        options.HttpAdvertised ?? new HostPort(options.HttpListen.IsAnyAddress ? peers.Host : options.HttpListen.Host, boundPort);
}
