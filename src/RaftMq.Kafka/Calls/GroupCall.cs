using RaftMq.Broker;
using RaftMq.Broker.Groups;
using RaftMq.Raft;

namespace RaftMq.Kafka.Calls;

/// <summary>
/// A request to a coordinator of groups as a task; null when this node is not the coordinator. Its continuations never run inside the
/// broker's section.
/// </summary>
internal sealed class GroupCall<TResult> : ICoordinatorCall, IReply<TResult>
    where TResult : class
{
    private readonly Answer<TResult?> answer = new();
    private readonly Action<GroupCoordinator, IReply<TResult>, long> ask;

    private GroupCall(Action<GroupCoordinator, IReply<TResult>, long> ask)
    {
        this.ask = ask;
    }

    /// <param name="broker">The broker.</param>
    /// <param name="consumerGroup">Whose coordinator is asked.</param>
    /// <param name="ask">Puts the request; its third argument is the coordinator's time in milliseconds.</param>
    /// <param name="cancellation">Ends the waiting, not the request.</param>
    public static Task<TResult?> AskAsync(
        IBroker broker,
        string consumerGroup,
        Action<GroupCoordinator, IReply<TResult>, long> ask,
        CancellationToken cancellation)
    {
        var call = new GroupCall<TResult>(ask);
        broker.WithCoordinator(consumerGroup, call);
        return call.answer.WaitAsync(cancellation);
    }

    /// <summary>As the other, for all groups of one partition of the offsets topic.</summary>
    public static Task<TResult?> AskAsync(
        IBroker broker,
        GroupId offsetsPartition,
        Action<GroupCoordinator, IReply<TResult>, long> ask,
        CancellationToken cancellation)
    {
        var call = new GroupCall<TResult>(ask);
        broker.WithCoordinatorOf(offsetsPartition, call);
        return call.answer.WaitAsync(cancellation);
    }

    public void Run(GroupCoordinator coordinator, long nowMs) => ask(coordinator, this, nowMs);

    public void NotHere() => answer.Complete(null);

    public void Complete(TResult result) => answer.Complete(result);
}
