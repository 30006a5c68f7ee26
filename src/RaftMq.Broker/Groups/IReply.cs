namespace RaftMq.Broker.Groups;

/// <summary>
/// Where an answer goes. The coordinator calls it exactly once per request, inside the shard's exclusive section, at the end of some
/// call into it (perhaps the call that brought the request). It must not call back into the coordinator.
/// </summary>
public interface IReply<in TResult>
{
    void Complete(TResult result);
}
