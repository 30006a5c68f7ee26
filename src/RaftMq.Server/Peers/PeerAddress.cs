using System.Net;

namespace RaftMq.Server.Peers;

internal sealed record PeerAddress(DnsEndPoint Where, PeerAddressSource Source)
{
    /// <summary>For the log.</summary>
    public override string ToString() => $"{Where.Host}:{Where.Port} ({SourceInWords})";

    private string SourceInWords => Source switch
    {
        PeerAddressSource.Configured => "by cluster.initial.nodes",
        PeerAddressSource.Seed => "by cluster.seeds",
        PeerAddressSource.Recorded => "recorded by the cluster",
        _ => "by its own word",
    };
}
