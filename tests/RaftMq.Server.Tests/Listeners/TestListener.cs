using System.Net;
using RaftMq.Server.Listeners;
using RaftMq.Server.Security;
using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Tests.Listeners;

internal sealed class TestListener : IAsyncDisposable
{
    public TestListener(ListenerLimits? limits = null, CertificateSource? certificates = null, IReadOnlyList<IPEndPoint>? bind = null)
    {
        Limits = limits ?? new ListenerLimits();
        Memory = new RequestMemory(Limits.RequestBytesPerNode);
        Metrics = new ListenerMetrics(Registry, Limits, Memory);
        Listener = new KafkaListener(
            new ListenerOptions("kafka", bind ?? [new IPEndPoint(IPAddress.Loopback, 0)], certificates), Limits, Memory, Metrics,
            Log);
        Listener.Bind();
        Listener.Start(Sessions.Open);
    }

    public ListLogger Log { get; } = new();

    public MetricRegistry Registry { get; } = new();

    public ListenerLimits Limits { get; }

    public RequestMemory Memory { get; }

    public ListenerMetrics Metrics { get; }

    public TestSessions Sessions { get; } = new();

    public KafkaListener Listener { get; }

    public Task<TestClient> ConnectAsync() => TestClient.ConnectAsync(Listener.Addresses[0]);

    public long Closed(string cause)
    {
        string start = $"raftmq_kafka_connections_closed_total{{cause=\"{cause}\"}} ";
        return long.Parse(Registry.WriteText().Split('\n').Single(line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..]);
    }

    public Task ClosedAsync(string cause, long count = 1) => Eventually.HoldsAsync(
        () => Closed(cause) == count && Metrics.Connections.Value == 0,
        () => string.Join('\n', Registry.WriteText().Split('\n').Where(line => line.Contains("_kafka_c", StringComparison.Ordinal))));

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        Assert.Equal(0, Metrics.Connections.Value);
        Assert.Equal(0, Metrics.InFlight.Value);
        Assert.Equal(0, Metrics.ResponseBytes.Value);
        Assert.Equal(0, Memory.UsedBytes);
        Assert.Equal(0, Sessions.LiveResponses);
    }
}
