using System.Net.Security;

namespace RaftMq.Kafka.Wire.Client;

/// <summary>How a client talks to a broker.</summary>
public sealed record KafkaConnectionOptions
{
    /// <summary>Named in each request; brokers log and limit by it.</summary>
    public string ClientId { get; init; } = "raftmq";

    /// <summary>Requests sent and not answered yet; the next one waits. Five is what Kafka producers use.</summary>
    public int RequestsInFlightMax { get; init; } = 5;

    /// <summary>The largest answer taken. A broker may overshoot what a fetch asks for by one batch.</summary>
    public int ResponseBytesMax { get; init; } = 128 * 1024 * 1024;

    /// <summary>For connecting, TLS and the first ApiVersions together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A request that has no answer after this time closes the connection, be it that the broker says nothing or that it takes nothing. Null:
    /// the caller's token alone ends the wait.
    /// </summary>
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary>Turns TLS on. <c>TargetHost</c> is filled in where it is empty.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }
}
