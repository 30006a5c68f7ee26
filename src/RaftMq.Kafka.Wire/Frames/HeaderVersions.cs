namespace RaftMq.Kafka.Wire;

/// <summary>Which header goes with which body.</summary>
public static class HeaderVersions
{
    /// <summary>1: key, version, correlation id, client id. 2: the same and tagged fields. (0, without a client id, is for no request served.)</summary>
    public static int OfRequest(MessageSchema request, int version) => request.IsFlexible(version) ? 2 : 1;

    /// <summary>
    /// 0: correlation id. 1: the same and tagged fields. The answer to ApiVersions has 0 always: the client does not know yet what the broker
    /// understands, so it must be able to read a version 0 answer whatever it asked (KIP-511).
    /// </summary>
    public static int OfResponse(MessageSchema request, int version) =>
        request.Key != ApiKey.ApiVersions && request.IsFlexible(version) ? 1 : 0;
}
