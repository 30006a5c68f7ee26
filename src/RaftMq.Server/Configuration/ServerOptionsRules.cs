using System.Net;
using RaftMq.Server.Hosting;
using RaftMq.Server.Peers;

namespace RaftMq.Server.Configuration;

/// <summary>What must hold between settings.</summary>
internal static class ServerOptionsRules
{
    public static void Check(ServerOptions options, List<string> faults, List<string> warnings)
    {
        CheckListeners(options, faults, warnings);
        CheckPorts(options, faults);
        CheckTls(options.Tls, faults);
        CheckNodes(options, faults);
        CheckSeeds(options, faults);
        WarnOfPlaintext(options, warnings);
        faults.AddRange(NodeFactory.JournalOptions(options.Journal).Faults().Select(fault => $"journal: {fault}."));
        if (options.Limits.UncommittedBytesPerGroup > options.Limits.UncommittedBytesPerNode)
        {
            faults.Add("limits.uncommitted.bytes.per.group is above limits.uncommitted.bytes.per.node.");
        }

        if (options.Disk.FreeBytesLow > 0 && options.Disk.FreeBytesLow < options.Disk.FreeBytesMin)
        {
            faults.Add("disk.free.bytes.low is below disk.free.bytes.min: nobody would be warned before records are refused.");
        }

        if (options.Limits.RecordBatchBytes > options.Limits.RequestFrameBytes)
        {
            faults.Add("limits.record.batch.bytes is above limits.request.frame.bytes: such a batch could never be sent.");
        }
    }

    /// <summary>True for addresses that only this machine reaches.</summary>
    public static bool IsLoopback(HostPort address) =>
        address.Host == "localhost" || (IPAddress.TryParse(address.Host, out IPAddress? ip) && IPAddress.IsLoopback(ip));

    private static void CheckListeners(ServerOptions options, List<string> faults, List<string> warnings)
    {
        if (options.Listeners.IsEmpty)
        {
            faults.Add("listeners is empty: no client could connect.");
        }

        foreach (IGrouping<string, ListenerSetting> same in options.Listeners.GroupBy(listener => listener.Name).Where(g => g.Count() > 1))
        {
            faults.Add($"listeners: two are named {same.Key}; give each a name, as in inside@{same.First()}.");
        }

        if (options.Listeners.Any(listener => listener.Name == NodeContext.PeersListener))
        {
            faults.Add($"listeners: the name {NodeContext.PeersListener} is taken by the nodes' own port.");
        }

        if (options.Listeners.Any(listener => listener.Name == NodeContext.HttpListener))
        {
            faults.Add($"listeners: the name {NodeContext.HttpListener} is taken by the port of http.listen.");
        }

        if (options.HttpAdvertised is { IsAnyAddress: true })
        {
            faults.Add($"http.advertised: nobody can connect to {options.HttpAdvertised}.");
        }

        foreach (AdvertisedSetting advertised in options.AdvertisedListeners)
        {
            if (!options.Listeners.Any(listener => listener.Name == advertised.Name))
            {
                faults.Add($"advertised.listeners: there is no listener named {advertised.Name}.");
            }

            if (advertised.Address.IsAnyAddress)
            {
                faults.Add($"advertised.listeners: clients can't connect to {advertised.Address}.");
            }
        }

        foreach (ListenerSetting listener in options.Listeners)
        {
            if (listener.Bind.IsAnyAddress && !options.AdvertisedListeners.Any(advertised => advertised.Name == listener.Name))
            {
                faults.Add(
                    $"Listener {listener.Name} is bound to every address; say under which clients reach it: "
                    + $"advertised.listeners {listener.Name}@HOST:{listener.Bind.Port}.");
            }

            if (listener.Scheme == ListenerScheme.Kafkas && options.Tls.KafkaCertificate.Length == 0)
            {
                faults.Add($"Listener {listener.Name} is for TLS but tls.kafka.certificate is not given.");
            }
        }

        if (options.PeersListen.IsAnyAddress && options.PeersAdvertised is null && options.InitialNodes.All(node => node.NodeId != options.NodeId))
        {
            faults.Add("peers.listen is bound to every address; say under which the other nodes reach it: peers.advertised HOST:PORT.");
        }

        if (options.PeersAdvertised is { IsAnyAddress: true })
        {
            faults.Add($"peers.advertised: the other nodes can't connect to {options.PeersAdvertised}.");
        }

        if ((options.PeersAdvertised ?? options.PeersListen).Host.Length > PeerPreamble.HostBytesMax)
        {
            faults.Add($"peers.advertised: the host name is longer than {PeerPreamble.HostBytesMax} characters.");
        }

        if (options.Tls.KafkaCertificate.Length > 0 && options.Listeners.All(listener => listener.Scheme == ListenerScheme.Kafka))
        {
            warnings.Add("tls.kafka.certificate is given but no listener has the scheme kafkas.");
        }
    }

    /// <summary>No two things listen on one port of one address. Port 0 takes a free one and is in nobody's way.</summary>
    private static void CheckPorts(ServerOptions options, List<string> faults)
    {
        (string What, HostPort Address)[] places =
        [
            .. options.Listeners.Select(listener => ($"listener {listener.Name}", listener.Bind)),
            ("peers.listen", options.PeersListen),
            ("http.listen", options.HttpListen),
        ];
        for (int i = 0; i < places.Length; i++)
        {
            foreach ((string what, HostPort address) in places.Skip(i + 1).Where(other => Overlap(places[i].Address, other.Address)))
            {
                faults.Add($"{what} ({address}) and {places[i].What} ({places[i].Address}) can't share a port: give one of them another.");
            }
        }
    }

    /// <summary>By what is written; names of one host that only the network knows to be one are found when the ports are taken.</summary>
    private static bool Overlap(HostPort a, HostPort b)
    {
        if (a.Port != b.Port || a.Port == 0)
        {
            return false;
        }

        return a.IsAnyAddress || b.IsAnyAddress || a.Host.Equals(b.Host, StringComparison.OrdinalIgnoreCase)
            || (a.Host == "localhost" && IsLoopback(b)) || (b.Host == "localhost" && IsLoopback(a))
            || (IPAddress.TryParse(a.Host, out IPAddress? first) && IPAddress.TryParse(b.Host, out IPAddress? second) && first.Equals(second));
    }

    private static void CheckTls(TlsSettings tls, List<string> faults)
    {
        if ((tls.KafkaCertificate.Length == 0) != (tls.KafkaKey.Length == 0))
        {
            faults.Add("tls.kafka.certificate and tls.kafka.key belong together.");
        }

        if (tls.KafkaClientAuthority.Length > 0 && tls.KafkaCertificate.Length == 0)
        {
            faults.Add("tls.kafka.client.authority needs tls.kafka.certificate.");
        }

        int peers = (tls.PeersCertificate.Length > 0 ? 1 : 0) + (tls.PeersKey.Length > 0 ? 1 : 0) + (tls.PeersAuthority.Length > 0 ? 1 : 0);
        if (peers is 1 or 2)
        {
            faults.Add("tls.peers.certificate, tls.peers.key and tls.peers.authority belong together.");
        }

        foreach (string path in new[]
        {
            tls.KafkaCertificate, tls.KafkaKey, tls.KafkaClientAuthority, tls.PeersCertificate, tls.PeersKey, tls.PeersAuthority,
        })
        {
            if (path.Length > 0 && !File.Exists(path))
            {
                faults.Add($"There is no file {path}.");
            }
        }
    }

    private static void CheckNodes(ServerOptions options, List<string> faults)
    {
        const string Key = "cluster.initial.nodes";
        foreach (IGrouping<int, NodeAddress> same in options.InitialNodes.GroupBy(node => node.NodeId).Where(group => group.Count() > 1))
        {
            faults.Add($"{Key} names node {same.Key} twice.");
        }

        foreach (NodeAddress node in options.InitialNodes.Where(node => node.Address.Host.Length > PeerPreamble.HostBytesMax))
        {
            faults.Add($"{Key}: the host name in {node} is longer than {PeerPreamble.HostBytesMax} characters.");
        }

        foreach (NodeAddress node in options.InitialNodes.Where(node => node.Address.IsAnyAddress))
        {
            faults.Add($"{Key}: no node can be dialled at {node.Address}.");
        }

        if (!options.InitialNodes.IsEmpty && !options.InitialNodes.Any(node => node.NodeId == options.NodeId))
        {
            faults.Add($"{Key} does not name this node, {options.NodeId}: only the nodes that form a cluster are in it. One that joins a cluster takes cluster.seeds instead.");
        }
    }

    private static void CheckSeeds(ServerOptions options, List<string> faults)
    {
        const string Key = "cluster.seeds";
        foreach (HostPort seed in options.Seeds.Where(seed => seed.IsAnyAddress || seed.Port == 0))
        {
            faults.Add($"{Key}: no node can be dialled at {seed}.");
        }

        if (options is { Seeds.IsEmpty: false, InitialNodes.IsEmpty: false }
            && !options.Seeds.ToHashSet().SetEquals(options.InitialNodes.Select(node => node.Address)))
        {
            faults.Add(
                $"{Key} and cluster.initial.nodes name different places: a node forms a cluster with its initial nodes or joins one by seeds. Give one of the two.");
        }

        if (options.InitialNodes.IsEmpty && !options.Seeds.IsEmpty && options.Seeds.All(seed => seed == (options.PeersAdvertised ?? options.PeersListen)))
        {
            faults.Add($"{Key} names only this node: name nodes of the cluster that it is to join.");
        }
    }

    private static void WarnOfPlaintext(ServerOptions options, List<string> warnings)
    {
        foreach (ListenerSetting listener in options.Listeners)
        {
            if (listener.Scheme == ListenerScheme.Kafka && !IsLoopback(listener.Bind))
            {
                warnings.Add($"Listener {listener.Name} serves {listener.Bind} without encryption; use kafkas where others can listen in.");
            }
        }

        if (options.Tls.PeersCertificate.Length == 0 && !IsLoopback(options.PeersListen))
        {
            warnings.Add(
                $"Nodes speak without encryption on {options.PeersListen}, and whoever reaches that port can pass for a node; use tls.peers.*.");
        }

        if (!IsLoopback(options.HttpListen))
        {
            warnings.Add($"The admin API on {options.HttpListen} is open to whoever reaches it.");
        }
    }
}
