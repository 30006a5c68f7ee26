using System.Net;

namespace RaftMq.Testing.Processes;

/// <summary>One node of a <see cref="TestCluster"/>: its addresses and folder stay, its process comes and goes.</summary>
public sealed class NodeUnderTest : IAsyncDisposable
{
    private readonly IReadOnlyList<string> line;
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly HttpClient http;

    internal NodeUnderTest(
        int id, string folder, int kafkaPort, int tlsPort, int peersPort, int httpPort, IReadOnlyList<string> line,
        IReadOnlyDictionary<string, string> environment, HttpClient http)
    {
        Id = id;
        Folder = folder;
        KafkaPort = kafkaPort;
        TlsPort = tlsPort;
        PeersPort = peersPort;
        HttpPort = httpPort;
        this.line = line;
        this.environment = environment;
        this.http = http;
    }

    public int Id { get; }

    public string Folder { get; }

    public int KafkaPort { get; }

    public int TlsPort { get; }

    public int PeersPort { get; }

    public int HttpPort { get; }

    public string Kafka => $"127.0.0.1:{KafkaPort}";

    public string LogFile => Folder + ".log";

    /// <summary>The process that runs or ran last; null before the first start.</summary>
    public ChildProcess? Process { get; private set; }

    /// <summary>Whether the test wants it to run; one that ended by itself is a failure.</summary>
    public bool IsWanted { get; private set; }

    public bool IsRunning => Process is { HasExited: false };

    public async Task StartAsync()
    {
        if (Process is not null)
        {
            await Process.DisposeAsync();
        }

        IsWanted = true;
        Process = await ChildProcess.StartAsync(line[0], [.. line.Skip(1)], environment, LogFile);
    }

    /// <summary>kill -9, and waits until the process is gone.</summary>
    public async Task KillAsync(CancellationToken cancellation)
    {
        IsWanted = false;
        Process!.Kill();
        await Process.WaitForExitAsync(TimeSpan.FromSeconds(10), cancellation);
    }

    /// <summary>It is about to end by itself, and that is right.</summary>
    public Task<int> EndsAsync(TimeSpan within, CancellationToken cancellation)
    {
        IsWanted = false;
        return Process!.WaitForExitAsync(within, cancellation);
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    /// <returns>The exit code; 0 is a stop in good order.</returns>
    public async Task<int> StopAsync(CancellationToken cancellation)
    {
        IsWanted = false;
        Process!.Terminate();
        return await Process.WaitForExitAsync(TimeSpan.FromSeconds(40), cancellation);
    }

    /// <returns>"ready", or what is in the way, for a message.</returns>
    public async Task<string> HealthAsync(CancellationToken cancellation)
    {
        if (!IsRunning)
        {
            return Process is null ? "not started" : $"ended with {Process.ExitCode}";
        }

        try
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri($"http://127.0.0.1:{HttpPort}/health/ready"), cancellation);
            string text = (await answer.Content.ReadAsStringAsync(cancellation)).Trim();
            return answer.StatusCode == HttpStatusCode.OK ? "ready" : $"{(int)answer.StatusCode} {text}";
        }
        catch (HttpRequestException exception)
        {
            return exception.Message;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
        {
            await Process.DisposeAsync();
        }
    }
}
