namespace RaftMq.Kafka;

/// <summary>What the operator decides about the Kafka face of a node.</summary>
public sealed record KafkaFaceOptions
{
    public KafkaLimits Limits { get; init; } = new();
}

/// <summary>Named limits of the Kafka face; behaviour at each is tested.</summary>
public sealed record KafkaLimits
{
    /// <summary>Record bytes in one fetch answer, whatever the client asks for: as much as may wait to be sent on one connection.</summary>
    public int FetchBytesMax { get; init; } = 16 << 20;

    /// <summary>A longer max_wait_ms of a fetch is cut to this. Clients ask for half a second.</summary>
    public int FetchWaitMsMax { get; init; } = 5 * 60 * 1000;

    /// <summary>Array elements in one request over all its arrays; a connection that sends more is closed. An element becomes up to 300 bytes
    /// while its request is served, so this bounds a request at 30 MB.</summary>
    public int ElementsPerRequestMax { get; init; } = 100_000;

    /// <summary>A produce waits at least this long for its majority, however small timeout_ms is: with less, every answer would say
    /// "timed out" for records that are then stored all the same.</summary>
    public int ProduceTimeoutMsMin { get; init; } = 100;

    /// <summary>And at most this long; the largest request timeout that librdkafka allows.</summary>
    public int ProduceTimeoutMsMax { get; init; } = 15 * 60 * 1000;

    /// <summary>The most a producer is told to wait (throttle_time_ms) after its batches had to wait for room.</summary>
    public int ThrottleMsMax { get; init; } = 1000;

    /// <summary>Shorter waits are not reported: clients answer a throttle time by waiting as long again.</summary>
    public int ThrottleMsMin { get; init; } = 100;

    /// <summary>Administrative requests wait at least this long for the controller, and at most <see cref="AdminTimeoutMsMax"/>.</summary>
    public int AdminTimeoutMsMin { get; init; } = 1000;

    public int AdminTimeoutMsMax { get; init; } = 5 * 60 * 1000;

    /// <summary>For administrative requests that name no time.</summary>
    public int AdminTimeoutMsDefault { get; init; } = 30_000;

    /// <summary>How long the creation of a topic on first use may hold up the metadata answer; the client asks again.</summary>
    public int AutoCreateTimeoutMs { get; init; } = 5000;

    /// <summary>Topics that one metadata request may create on first use. The rest gets LEADER_NOT_AVAILABLE and is created when the client
    /// asks again.</summary>
    public int AutoCreatesPerRequestMax { get; init; } = 100;

    /// <summary>Administrative commands of one request under way at the same time; the others wait their turn.</summary>
    public int AdminCommandsAtOnceMax { get; init; } = 64;

    /// <summary>Producer ids are taken from the controller in blocks of this size, so that one entry serves a thousand producers.</summary>
    public int ProducerIdBlock { get; init; } = 1000;

    /// <summary>Produce requests whose objects a connection keeps for reuse: as many as may be in flight on it.</summary>
    public int PooledProducesPerConnection { get; init; } = 64;
}
