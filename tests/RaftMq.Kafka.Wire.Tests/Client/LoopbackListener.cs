using System.Net;
using System.Net.Sockets;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Kafka.Wire.Tests.Client;

/// <summary>What brokers of tests listen with: each connection is served by <paramref name="serve"/>, until the listener is disposed of.</summary>
internal sealed class LoopbackListener(Func<NetworkStream, CancellationToken, Task> serve, int port = 0) : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, port);
    private readonly CancellationTokenSource stopping = new();
    private Task accepting = Task.CompletedTask;

    public KafkaEndpoint Endpoint => new("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);

    public int Connections { get; private set; }

    /// <param name="receiveBufferBytes">Of each connection; null: what the system gives.</param>
    public void Start(int? receiveBufferBytes = null)
    {
        if (receiveBufferBytes is { } bytes)
        {
            listener.Server.ReceiveBufferSize = bytes;
        }

        listener.Start();
        accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // In this order: a listener that was stopped takes nobody, and says so in its own way.
        await stopping.CancelAsync();
        await accepting;
        listener.Stop();
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                Socket accepted = await listener.AcceptSocketAsync(stopping.Token);
                Connections++;
                serving.Add(ServeAsync(accepted));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket accepted)
    {
        await using NetworkStream stream = new(accepted, ownsSocket: true);
        try
        {
            await serve(stream, stopping.Token);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException)
        {
        }
    }
}
