using RaftMq.Testing.Processes;

namespace RaftMq.Conformance;

/// <summary>An authority and a certificate for localhost, made with openssl as an operator would.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("raftmq-certificates-").FullName;

    private TestCertificates()
    {
    }

    public string AuthorityFile => Path.Combine(folder, "authority.pem");

    public string CertificateFile => Path.Combine(folder, "node.pem");

    public string KeyFile => Path.Combine(folder, "node.key");

    public static async Task<TestCertificates> MakeAsync(CancellationToken cancellation)
    {
        TestCertificates made = new();
        string authorityKey = Path.Combine(made.folder, "authority.key");
        string request = Path.Combine(made.folder, "node.csr");
        string names = Path.Combine(made.folder, "names");
        await File.WriteAllTextAsync(names, "subjectAltName=DNS:localhost,IP:127.0.0.1\n", cancellation);
        await OpenSslAsync(
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test authority", "-keyout", authorityKey, "-out", made.AuthorityFile],
            cancellation);
        await OpenSslAsync(["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", made.KeyFile, "-out", request], cancellation);
        await OpenSslAsync(
            ["x509", "-req", "-in", request, "-CA", made.AuthorityFile, "-CAkey", authorityKey, "-CAcreateserial", "-days", "2", "-extfile", names,
                "-out", made.CertificateFile],
            cancellation);
        return made;
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task OpenSslAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        await using ChildProcess openssl = await ChildProcess.StartAsync("openssl", arguments);
        int code = await openssl.WaitForExitAsync(TimeSpan.FromSeconds(60), cancellation);
        Assert.True(code == 0, $"openssl {arguments[0]}: {openssl.Tail()}");
    }
}
