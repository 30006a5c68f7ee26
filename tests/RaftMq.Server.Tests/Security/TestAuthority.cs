using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RaftMq.Server.Security;

namespace RaftMq.Server.Tests.Security;

/// <summary>An authority of one test that writes certificates as PEM files.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly string _folder;
    private int _serial;

    public TestAuthority(string folder, string name)
    {
        _folder = folder;
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        Path = System.IO.Path.Combine(folder, $"{name}.pem");
        File.WriteAllText(Path, _certificate.ExportCertificatePem());
    }

    public string Path { get; }

    /// <summary>Writes (over) NAME.crt and NAME.key.</summary>
    public CertificateFiles Issue(string name, bool withAuthority)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(
            _certificate, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(10), BitConverter.GetBytes(++_serial));
        var files = new CertificateFiles(
            System.IO.Path.Combine(_folder, $"{name}.crt"), System.IO.Path.Combine(_folder, $"{name}.key"), withAuthority ? Path : null);
        File.WriteAllText(files.CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(files.KeyPath, key.ExportPkcs8PrivateKeyPem());
        return files;
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
