using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Security;

/// <summary>
/// A certificate from files, looked at again at a handshake once a second has passed. A new one that can't be read (half written,
/// key does not match) is reported and the old one stays in use. May be used from any thread.
/// </summary>
internal sealed partial class CertificateSource
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly CertificateFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private (DateTime Certificate, DateTime Key, DateTime Authority) _stamps;
    private long _lookedAt;
    private Loaded _loaded;

    /// <exception cref="CryptographicException">The files are not a certificate and its key.</exception>
    /// <exception cref="IOException">They can't be read.</exception>
    public CertificateSource(CertificateFiles files, TimeProvider time, ILogger logger)
    {
        _files = files;
        _time = time;
        _logger = logger;
        _stamps = Stamps();
        _lookedAt = time.GetTimestamp();
        _loaded = Load();
    }

    /// <summary>What the next handshake uses.</summary>
    public Loaded Current
    {
        get
        {
            lock (_lock)
            {
                if (_time.GetElapsedTime(_lookedAt) >= LookAgainAfter)
                {
                    _lookedAt = _time.GetTimestamp();
                    LookAgain();
                }

                return _loaded;
            }
        }
    }

    private void LookAgain()
    {
        try
        {
            (DateTime, DateTime, DateTime) stamps = Stamps();
            if (stamps == _stamps)
            {
                return;
            }

            _loaded = Load();
            _stamps = stamps;
            LogReloaded(_files.CertificatePath, _loaded.Certificate.NotAfter);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            LogNotReloaded(_files.CertificatePath, exception.Message);
        }
    }

    private (DateTime Certificate, DateTime Key, DateTime Authority) Stamps() => (
        File.GetLastWriteTimeUtc(_files.CertificatePath), File.GetLastWriteTimeUtc(_files.KeyPath),
        _files.AuthorityPath is null ? default : File.GetLastWriteTimeUtc(_files.AuthorityPath));

    private Loaded Load()
    {
        X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(_files.CertificatePath, _files.KeyPath);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_files.CertificatePath);
        X509Certificate2Collection? authorities = null;
        if (_files.AuthorityPath is not null)
        {
            authorities = [];
            authorities.ImportFromPemFile(_files.AuthorityPath);
        }

        return new Loaded(certificate, SslStreamCertificateContext.Create(certificate, chain, offline: true), authorities);
    }

    /// <param name="Authorities">Null: clients are not asked for a certificate.</param>
    internal sealed record Loaded(
        X509Certificate2 Certificate, SslStreamCertificateContext Context, X509Certificate2Collection? Authorities)
    {
        /// <summary>The other side's certificate leads to one of the authorities.</summary>
        public bool Accepts(X509Certificate? shown)
        {
            if (shown is null || Authorities is null)
            {
                return false;
            }

            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(Authorities);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            return chain.Build(X509CertificateLoader.LoadCertificate(shown.Export(X509ContentType.Cert)));
        }
    }
}
