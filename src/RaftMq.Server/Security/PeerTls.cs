using System.Net.Security;
using System.Security.Authentication;

namespace RaftMq.Server.Security;

/// <summary>
/// Mutual TLS between nodes: each side shows its certificate and takes the other's when it leads to the configured authority. Names in
/// certificates are not compared: the authority is the cluster's own and issues for nodes only.
/// </summary>
internal sealed class PeerTls(CertificateSource certificates)
{
    public SslServerAuthenticationOptions ForServer()
    {
        CertificateSource.Loaded loaded = certificates.Current;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = loaded.Context,
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = (_, shown, _, _) => loaded.Accepts(shown),
        };
    }

    public SslClientAuthenticationOptions ForClient(string host)
    {
        CertificateSource.Loaded loaded = certificates.Current;
        return new SslClientAuthenticationOptions
        {
            TargetHost = host,
            ClientCertificateContext = loaded.Context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = (_, shown, _, _) => loaded.Accepts(shown),
        };
    }
}
