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

    /// <summary>Of what is loaded. Not times: a file that is copied keeps its own, and two written at once have the same.</summary>
    private string _content;

    /// <summary>Of what was found and could not be used: reported once.</summary>
    private string? _unusable;

    private long _lookedAt;
    private Loaded _loaded;

    /// <exception cref="CryptographicException">The files are not a certificate and its key.</exception>
    /// <exception cref="IOException">They can't be read.</exception>
    public CertificateSource(CertificateFiles files, TimeProvider time, ILogger logger)
    {
        _files = files;
        _time = time;
        _logger = logger;
        _content = Content();
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
        string? content = null;
        try
        {
            content = Content();
            if (content == _content || content == _unusable)
            {
                return;
            }

            _loaded = Load();
            _content = content;
            _unusable = null;
            LogReloaded(_files.CertificatePath, _loaded.Certificate.NotAfter);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            _unusable = content;
            LogNotReloaded(_files.CertificatePath, exception.Message);
        }
    }

    private string Content()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(File.ReadAllBytes(_files.CertificatePath));
        hash.AppendData(File.ReadAllBytes(_files.KeyPath));
        hash.AppendData(_files.AuthorityPath is null ? [] : File.ReadAllBytes(_files.AuthorityPath));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

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
