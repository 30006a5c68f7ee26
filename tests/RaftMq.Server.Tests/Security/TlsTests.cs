using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using RaftMq.Broker.Environment;
using RaftMq.Server.Security;
using RaftMq.Server.Tests.Listeners;
using RaftMq.Server.Tests.Peers;

namespace RaftMq.Server.Tests.Security;

public sealed class TlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly TestAuthority _authority;

    public TlsTests() => _authority = new TestAuthority(_folder.Path, "authority");

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Kafka_listener_serves_frames_of_every_size_over_TLS()
    {
        await using var listener = new TestListener(certificates: Source(_authority.Issue("node", withAuthority: false)));
        (TestClient client, X509Certificate2 shown) = await ConnectAsync(listener, client: null);
        Assert.Equal("CN=node", shown.Subject);
        foreach (int size in new[] { 0, 1, 5000, 70_000, 3 << 20 })
        {
            byte[] payload = RandomNumberGenerator.GetBytes(size);
            Task send = client.SendAsync(0, size, payload);
            Assert.Equal(payload, (await client.ReceiveAsync()).Payload);
            await send;
        }

        client.Dispose();
    }

    [Fact]
    public async Task Changed_certificate_is_used_for_new_connections()
    {
        CertificateFiles files = _authority.Issue("node", withAuthority: false);
        await using var listener = new TestListener(certificates: Source(files));
        (TestClient first, X509Certificate2 before) = await ConnectAsync(listener, client: null);

        // A copy may keep the time of its original: what counts is what is in the file.
        DateTime certificateAt = File.GetLastWriteTimeUtc(files.CertificatePath);
        DateTime keyAt = File.GetLastWriteTimeUtc(files.KeyPath);
        _authority.Issue("node", withAuthority: false);
        File.SetLastWriteTimeUtc(files.CertificatePath, certificateAt);
        File.SetLastWriteTimeUtc(files.KeyPath, keyAt);
        (TestClient second, X509Certificate2 same) = await ConnectAsync(listener, client: null);
        _time.Advance(TimeSpan.FromSeconds(1));
        (TestClient third, X509Certificate2 after) = await ConnectAsync(listener, client: null);

        Assert.Equal(before.SerialNumber, same.SerialNumber);
        Assert.NotEqual(before.SerialNumber, after.SerialNumber);
        foreach (TestClient client in new[] { first, second, third })
        {
            await client.SendAsync(0, 1);
            Assert.Equal(1, (await client.ReceiveAsync()).Correlation);
            client.Dispose();
        }
    }

    [Fact]
    public async Task Changed_certificate_that_can_not_be_used_leaves_the_old_one_in_use()
    {
        CertificateFiles files = _authority.Issue("node", withAuthority: false);
        await using var listener = new TestListener(certificates: Source(files));
        (TestClient first, X509Certificate2 before) = await ConnectAsync(listener, client: null);

        await File.WriteAllTextAsync(files.KeyPath, "-----BEGIN half", TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(1));
        (TestClient second, X509Certificate2 after) = await ConnectAsync(listener, client: null);

        Assert.Equal(before.SerialNumber, after.SerialNumber);
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public async Task Client_without_the_certificate_that_is_asked_for_is_closed()
    {
        using var stranger = new TestAuthority(_folder.Path, "stranger");
        await using var listener = new TestListener(certificates: Source(_authority.Issue("node", withAuthority: true)));
        (TestClient good, _) = await ConnectAsync(listener, _authority.Issue("client", withAuthority: false));
        await good.SendAsync(0, 1);
        Assert.Equal(1, (await good.ReceiveAsync()).Correlation);

        Assert.True(await IsRefusedAsync(listener, client: null));
        Assert.True(await IsRefusedAsync(listener, stranger.Issue("other", withAuthority: false)));
        good.Dispose();
        await Eventually.HoldsAsync(() => listener.Closed("handshake") == 2, () => $"{listener.Closed("handshake")}");
    }

    [Theory]
    [InlineData("\u0000\u0000\u0000\u0020\u0000\u0012", "a Kafka request without TLS")]
    [InlineData("\u0000", "a Kafka request without TLS")]
    [InlineData("GET /metrics HTTP/1.1\r\n", "an HTTP request")]
    [InlineData("SSH-2.0-OpenSSH\r\n", "neither of the protocols that are spoken here")]
    public async Task Plaintext_client_at_a_TLS_listener_is_closed_at_once_and_told(string bytes, string spoken)
    {
        await using var listener = new TestListener(certificates: Source(_authority.Issue("node", withAuthority: false)));
        using TestClient client = await listener.ConnectAsync();

        await client.SendBytesAsync(Encoding.Latin1.GetBytes(bytes));

        Assert.True(await client.IsClosedAsync());
        await listener.ClosedAsync("wrong_protocol");
        Assert.Equal(
            $"Listener kafka is for Kafka with TLS; a connection from {client.Socket.LocalEndPoint} began like {spoken} and was closed",
            Assert.Single(listener.Log.Of(1103)));
    }

    [Fact]
    public async Task HTTP_inside_of_TLS_is_closed_and_told_as_well()
    {
        await using var listener = new TestListener(certificates: Source(_authority.Issue("node", withAuthority: false)));
        (TestClient client, _) = await ConnectAsync(listener, client: null);

        await client.SendBytesAsync("GET /metrics HTTP/1.1\r\n"u8.ToArray());

        Assert.True(await client.IsClosedAsync());
        await listener.ClosedAsync("wrong_protocol");
        Assert.Contains("began like an HTTP request", Assert.Single(listener.Log.Of(1103)));
        client.Dispose();
    }

    [Fact]
    public async Task Nodes_speak_mutual_TLS()
    {
        await using var a = new PeerNode(0, new PeerTls(Source(_authority.Issue("a", withAuthority: true))));
        await using var b = new PeerNode(1, new PeerTls(Source(_authority.Issue("b", withAuthority: true))));
        await a.ConnectedToAsync(b);
        await b.ConnectedToAsync(a);
        byte[] large = RandomNumberGenerator.GetBytes(3 << 20);

        for (int i = 0; i < 50; i++)
        {
            a.Send(b, PeerLane.Control, [(byte)i]);
        }

        a.Send(b, PeerLane.Append, large);
        b.Send(a, PeerLane.Control, [7]);

        await Eventually.HoldsAsync(() => b.Frames.Count == 51 && a.Frames.Count == 1, () => $"{a.Frames.Count}, {b.Frames.Count}");
        Assert.Equal(large, b.Frames.Single(frame => frame.Bytes.Length > 1).Bytes);
        Assert.Equal(Enumerable.Range(0, 50), b.Frames.Where(frame => frame.Bytes.Length == 1).Select(frame => (int)frame.Bytes[0]));
    }

    [Fact]
    public async Task Node_of_another_authority_or_without_TLS_is_not_let_in()
    {
        using var stranger = new TestAuthority(_folder.Path, "stranger");
        await using var member = new PeerNode(0, new PeerTls(Source(_authority.Issue("a", withAuthority: true))));
        await using var other = new PeerNode(1, new PeerTls(Source(stranger.Issue("b", withAuthority: true))));
        await using var plain = new PeerNode(2);
        int tries = 0;
        other.Knows(member);
        plain.Knows(member);
        member.Knows(other);
        await Eventually.HoldsAsync(() => tries++ > 200, () => "");

        Assert.False(other.Transport.IsConnected(member.Id));
        Assert.False(plain.Transport.IsConnected(member.Id));
        Assert.False(member.Transport.IsConnected(other.Id));
        Assert.Empty(member.Frames);
    }

    private CertificateSource Source(CertificateFiles files) => new(files, _time, NullLogger.Instance);

    private static async Task<bool> IsRefusedAsync(TestListener listener, CertificateFiles? client)
    {
        try
        {
            (TestClient connected, _) = await ConnectAsync(listener, client);

            // With TLS 1.3 the client is done before the server has looked at its certificate.
            await connected.SendAsync(0, 1);
            return await connected.IsClosedAsync();
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException)
        {
            return true;
        }
    }

    private static async Task<(TestClient Client, X509Certificate2 Shown)> ConnectAsync(TestListener listener, CertificateFiles? client)
    {
        X509Certificate2? shown = null;
        TestClient connected = await TestClient.ConnectAsync(listener.Listener.Addresses[0], async stream =>
        {
            var tls = new SslStream(stream);
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    shown = X509CertificateLoader.LoadCertificate(certificate!.Export(X509ContentType.Cert));
                    return shown.Issuer == "CN=authority";
                },
            };
            if (client is not null)
            {
                options.ClientCertificateContext = SslStreamCertificateContext.Create(
                    X509Certificate2.CreateFromPemFile(client.CertificatePath, client.KeyPath), additionalCertificates: null, offline: true);
            }

            await tls.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
            return tls;
        });
        return (connected, shown!);
    }
}
