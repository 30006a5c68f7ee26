using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RaftMq.Server.Hosting;
using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Admin;

/// <summary>HTTP on Kestrel: admin API, metrics, health. Not on the way of any record.</summary>
internal sealed class HttpFace : IAsyncDisposable
{
    private const long RequestBytesMax = 1 << 20;
    private const int ConnectionsMax = 1000;

    private readonly WebApplication _application;

    private HttpFace(WebApplication application) => _application = application;

    /// <summary>The ports it really listens on.</summary>
    public IReadOnlyList<Uri> Addresses =>
        [.. _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(text => new Uri(text))];

    /// <param name="waitsBecause">What keeps the node from being ready, when it is known.</param>
    /// <exception cref="IOException">An address can't be bound.</exception>
    public static async Task<HttpFace> StartAsync(
        IReadOnlyList<IPEndPoint> bind, INode node, Func<string?> waitsBecause, StatusSampler sampler, MetricRegistry metrics,
        ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();

        // The process decides about signals and the end of its parts itself.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBytesMax;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            foreach (IPEndPoint address in bind)
            {
                kestrel.Listen(address);
            }
        });
        WebApplication application = builder.Build();
        application.UseRouting();
        Map(application, node, waitsBecause, sampler, metrics);
        try
        {
            await application.StartAsync();
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new HttpFace(application);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private static void Map(
        WebApplication application, INode node, Func<string?> waitsBecause, StatusSampler sampler, MetricRegistry metrics)
    {
        application.MapGet("/metrics", () => Results.Text(metrics.WriteText(), "text/plain; version=0.0.4; charset=utf-8"));
        application.MapGet("/health/live", () => Results.Text("live\n"));
        application.MapGet("/health/ready", () => node switch
        {
            { RefusedByCluster: { } reason } => Results.Text(reason + "\n", statusCode: StatusCodes.Status503ServiceUnavailable),
            { IsReady: true } => Results.Text("ready\n"),
            _ => Results.Text(waitsBecause() is { } cause ? $"not ready: {cause}\n" : "not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable),
        });
        AdminApi.Map(application, node, sampler);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
