using System.Net;
using RaftMq.Server.Security;

namespace RaftMq.Server.Listeners;

/// <param name="Name">Clients are told the addresses advertised under the name of the listener that they came through.</param>
/// <param name="Bind">Every address to listen on; <c>localhost</c> gives the IPv4 and the IPv6 loopback.</param>
/// <param name="Certificates">Null: plaintext.</param>
internal sealed record ListenerOptions(string Name, IReadOnlyList<IPEndPoint> Bind, CertificateSource? Certificates);
