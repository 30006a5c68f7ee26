using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RaftMq.Cli.Tests.Admin;

/// <summary>Answers every HTTP request with the JSON that the path has, else 404.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Task loop;
    private volatile bool _isOver;

    public FakeNode()
    {
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        loop = RunAsync();
    }

    public int Port { get; }

    public Dictionary<string, string> Answers { get; } = [];

    /// <summary>Method and path of each request, in their order.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    public async ValueTask DisposeAsync()
    {
        _isOver = true;
        listener.Dispose();
        await loop;
    }

    private async Task RunAsync()
    {
        while (!_isOver)
        {
            try
            {
                using TcpClient client = await listener.AcceptTcpClientAsync();
                using var reader = new StreamReader(client.GetStream(), leaveOpen: true);
                char[] first = new char[1];
                if (await reader.ReadAsync(first) == 0 || !char.IsAsciiLetterUpper(first[0]))
                {
                    // Whoever asks whether Kafka's protocol is spoken here; no method of HTTP begins so.
                    continue;
                }

                string[] request = (first[0] + (await reader.ReadLineAsync() ?? "ET / ")).Split(' ');
                string path = request[1];
                Asked.Enqueue($"{request[0]} {path}");
                while (!string.IsNullOrEmpty(await reader.ReadLineAsync()))
                {
                    // The headers say nothing that matters here.
                }

                bool known = Answers.TryGetValue(path, out string? body);
                byte[] answer = Encoding.UTF8.GetBytes(
                    $"HTTP/1.1 {(known ? "200 OK" : "404 Not Found")}\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    + $"Content-Length: {Encoding.UTF8.GetByteCount(body ?? "")}\r\n\r\n{body}");
                await client.GetStream().WriteAsync(answer);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException
                || (_isOver && exception is InvalidOperationException))
            {
                // The listener was stopped, or a client has left.
            }
        }
    }
}
