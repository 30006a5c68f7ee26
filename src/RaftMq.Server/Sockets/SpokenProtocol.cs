namespace RaftMq.Server.Sockets;

/// <summary>What somebody speaks who connected, as far as the first bytes tell.</summary>
internal enum SpokenProtocol
{
    Unknown,
    Kafka,
    Http,
    Tls,
}
