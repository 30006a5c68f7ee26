namespace RaftMq.Server.Listeners;

/// <summary>What one client, and all together, may cost this node. Behaviour at each limit is tested.</summary>
internal sealed record ListenerLimits
{
    /// <summary>Over all Kafka listeners; one more is closed at once.</summary>
    public int ConnectionsMax { get; init; } = 10_000;

    /// <summary>Requests of a connection that are not answered yet; at the limit the connection is not read.</summary>
    public int InFlightMax { get; init; } = 64;

    /// <summary>Answers of a connection that its client has not taken yet; above, the connection is not read.</summary>
    public long ResponseBytesMax { get; init; } = 16 << 20;

    /// <summary>A larger request closes the connection.</summary>
    public int RequestFrameBytesMax { get; init; } = 100 << 20;

    /// <summary>
    /// Requests being received or admitted, over all connections, those up to <see cref="RequestBuffer.UncountedBytes"/> not
    /// counted; above, connections wait, and are closed when that takes longer than <see cref="RequestMemoryWait"/>.
    /// </summary>
    public long RequestBytesPerNode { get; init; } = 512L << 20;

    public TimeSpan RequestMemoryWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A connection on which nothing moved for so long is closed.</summary>
    public TimeSpan IdleMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>From accept to the end of the TLS handshake.</summary>
    public TimeSpan HandshakeMax { get; init; } = TimeSpan.FromSeconds(10);
}
