namespace RaftMq.Broker.Groups;

/// <summary>
/// Reads the topics a member subscribes to out of the metadata it joined with. The bytes belong to the clients' own protocol, so a
/// front end supplies this. Pure: the same bytes give the same answer.
/// </summary>
public interface ISubscriptionReader
{
    /// <summary>
    /// Adds the subscribed topics. False when the protocol type is not one of consumers or the bytes make no sense; the coordinator then
    /// takes the member to be interested in every topic. The bytes come from outside and may be anything.
    /// </summary>
    bool TryReadTopics(string protocolType, ReadOnlySpan<byte> metadata, ISet<string> topics);
}
