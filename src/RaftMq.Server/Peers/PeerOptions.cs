using System.Net;
using RaftMq.Raft;
using RaftMq.Server.Security;

namespace RaftMq.Server.Peers;

/// <summary>How this node talks to the others.</summary>
internal sealed record PeerOptions
{
    public required NodeId Self { get; init; }

    /// <summary>Where the others dial in. Port 0 takes a free one.</summary>
    public required IReadOnlyList<IPEndPoint> Listen { get; init; }

    /// <summary>Where the others are told to dial, when it is not the first address of <see cref="Listen"/>; at most 64 bytes.</summary>
    public string? AdvertisedHost { get; init; }

    public int? AdvertisedPort { get; init; }

    /// <summary>Bytes waiting for one node, all lanes; frames above are dropped and counted (Raft sends again).</summary>
    public long QueueBytesMax { get; init; } = 64 << 20;

    /// <summary>Incoming connections, half-made ones included; each has a thread.</summary>
    public int ConnectionsMax { get; init; } = 128;

    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan ReconnectMin { get; init; } = TimeSpan.FromMilliseconds(10);

    public TimeSpan ReconnectMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between two dials of a process that is refused because another one is connected as the same node.</summary>
    public TimeSpan RefusedRetryMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A connection on which something came within this time is alive, and no other process takes its place. Nodes say something every
    /// 100 ms, and a process that was started again takes longer than that for its start alone.
    /// </summary>
    public TimeSpan AliveWithin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A connection that lasted so long is a steady one; after the second shorter one in a row, dials are spaced.</summary>
    public TimeSpan SteadyAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What goes wrong again and again with one node is logged once in this time.</summary>
    public TimeSpan RepeatLogEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Mutual TLS when given: both sides show a certificate of the same authority.</summary>
    public PeerTls? Tls { get; init; }
}
