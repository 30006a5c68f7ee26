using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RaftMq.Server.Sockets;
using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Admin;

/// <summary>
/// HTTP on Kestrel: admin API, metrics, health. Not on the way of any record. Its life: bound, so that its ports are known and theirs; started
/// once there is a node to speak of; disposed.
/// </summary>
internal sealed class HttpFace : IAsyncDisposable
{
    public const long RequestBytesMax = 1 << 20;

    private readonly int _connectionsMax;
    private readonly List<Socket> _sockets = [];
    private WebApplication? _application;

    /// <param name="connectionsMax">One more is closed as soon as it is made.</param>
    public HttpFace(int connectionsMax) => _connectionsMax = connectionsMax;

    /// <summary>Open ones.</summary>
    public Gauge Connections { get; } = new();

    /// <summary>Where it listens, once bound; the port is the real one where 0 was asked for.</summary>
    public IReadOnlyList<IPEndPoint> Addresses { get; private set; } = [];

    /// <summary>Takes the ports; who comes is refused until <see cref="StartAsync"/>.</summary>
    /// <exception cref="SocketException">An address can't be bound.</exception>
    public void Bind(IReadOnlyList<IPEndPoint> addresses)
    {
        BoundSockets.Bind(addresses, _sockets);
        Addresses = [.. _sockets.Select(socket => (IPEndPoint)socket.LocalEndPoint!)];
    }

    /// <exception cref="SocketException">Somebody listens on an address since it was bound.</exception>
    public async Task StartAsync(HttpSources sources, ILoggerFactory loggers)
    {
        var door = new HttpDoor(new WrongProtocolLog(loggers.CreateLogger("RaftMq.Http"), TimeProvider.System, "http.listen is for HTTP without TLS"));
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.Services.Configure<RouteHandlerOptions>(handlers => handlers.ThrowOnBadRequest = true);

        // A setting that is misspelt must not be one that is missing.
        builder.Services.ConfigureHttpJsonOptions(
            json => json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow);

        // The process decides about signals and the end of its parts itself.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<SocketTransportOptions>(transport =>
            transport.CreateBoundListenSocket = address => _sockets.Find(socket => socket.LocalEndPoint!.Equals(address))!);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBytesMax;
            kestrel.Limits.MaxConcurrentConnections = _connectionsMax;
            foreach (IPEndPoint address in Addresses)
            {
                kestrel.Listen(address, listener => listener.Use(next => async connection =>
                {
                    Connections.Add(1);
                    try
                    {
                        if (await door.LetsInAsync(connection))
                        {
                            await next(connection);
                        }
                    }
                    finally
                    {
                        Connections.Add(-1);
                    }
                }));
            }
        });
        _application = builder.Build();
        HttpProblems.Use(_application);
        _application.UseRouting();
        Map(_application, sources);
        await _application.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await _application.StopAsync();
            await _application.DisposeAsync();
        }

        _sockets.ForEach(socket => socket.Dispose());
    }

    private static void Map(WebApplication application, HttpSources sources)
    {
        application.MapGet("/metrics", async (CancellationToken cancellation) =>
        {
            await sources.Sampler.LookAsync(cancellation);
            return Results.Text(sources.Metrics.WriteText(), "text/plain; version=0.0.4; charset=utf-8");
        });
        application.MapGet("/health/live", () => Results.Text("live\n"));
        application.MapGet("/health/ready", async (CancellationToken cancellation) =>
        {
            if (sources.IsOpen())
            {
                // Ready all the same: it serves reads, and nobody else holds these replicas.
                return Results.Text($"ready{(sources.Sampler.Last?.RoomNote is { } note ? $"; {note}" : "")}\n");
            }

            await sources.Sampler.LookAsync(cancellation);
            string because = sources.NotReadyBecause is { } cause ? $": {cause}" : "";
            return Results.Text($"not ready{because}\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        });
        AdminApi.Map(application, sources);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
