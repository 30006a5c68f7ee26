namespace RaftMq.Kafka.Wire;

/// <summary>The head of a request frame.</summary>
/// <param name="Key">May be a number that no enum value has.</param>
/// <param name="Version">Of the body; may be one that is not served.</param>
/// <param name="CorrelationId">Comes back in the answer.</param>
/// <param name="ClientId">Null where the client gave none, and where the rest of the header was not read.</param>
public readonly record struct RequestHeader(ApiKey Key, short Version, int CorrelationId, string? ClientId);
