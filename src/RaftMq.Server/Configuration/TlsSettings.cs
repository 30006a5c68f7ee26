namespace RaftMq.Server.Configuration;

/// <summary>Certificates by path, in PEM; read again when a file changes.</summary>
internal sealed record TlsSettings
{
    [Setting("tls.kafka.certificate", "Certificate (and chain) of the kafkas listeners.")]
    public string KafkaCertificate { get; init; } = "";

    [Setting("tls.kafka.key", "Private key of tls.kafka.certificate, not encrypted.")]
    public string KafkaKey { get; init; } = "";

    [Setting("tls.kafka.client.authority", "When given, clients must show a certificate of one of these authorities.")]
    public string KafkaClientAuthority { get; init; } = "";

    [Setting("tls.peers.certificate", "Certificate with which this node speaks to the others; turns mutual TLS on between nodes.")]
    public string PeersCertificate { get; init; } = "";

    [Setting("tls.peers.key", "Private key of tls.peers.certificate, not encrypted.")]
    public string PeersKey { get; init; } = "";

    [Setting("tls.peers.authority", "Authority of the nodes' certificates; it issues for nodes of this cluster only.")]
    public string PeersAuthority { get; init; } = "";
}
