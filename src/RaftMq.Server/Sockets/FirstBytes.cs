namespace RaftMq.Server.Sockets;

/// <summary>Knows protocols by how a connection begins, so that who has the wrong port is told so instead of waiting for an answer.</summary>
internal static class FirstBytes
{
    /// <summary>More are not looked at.</summary>
    public const int Count = 4;

    /// <summary>RFC 8446 5.1: the record of a handshake; its second byte, the major version, is 3 in every TLS there was.</summary>
    private const byte TlsHandshake = 22;
    private const byte TlsMajorVersion = 3;

    private static readonly byte[][] HttpMethods =
    [
        "GET "u8.ToArray(), "PUT "u8.ToArray(), "POST"u8.ToArray(), "HEAD"u8.ToArray(), "PRI "u8.ToArray(), "DELE"u8.ToArray(), "PATC"u8.ToArray(),
        "OPTI"u8.ToArray(), "CONN"u8.ToArray(), "TRAC"u8.ToArray(),
    ];

    /// <param name="bytes">Those that are there; with fewer than <see cref="Count"/> less is known.</param>
    public static SpokenProtocol Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
        {
            return SpokenProtocol.Unknown;
        }

        if (bytes[0] == TlsHandshake && (bytes.Length == 1 || bytes[1] == TlsMajorVersion))
        {
            return SpokenProtocol.Tls;
        }

        if (bytes[0] == 0)
        {
            // The size of a first request, which is below 16 MiB: clients begin with their versions or a handshake.
            return SpokenProtocol.Kafka;
        }

        foreach (byte[] method in HttpMethods)
        {
            if (bytes.StartsWith(method))
            {
                return SpokenProtocol.Http;
            }
        }

        return SpokenProtocol.Unknown;
    }
}
