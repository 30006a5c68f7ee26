using RaftMq.Broker;
using RaftMq.Broker.Groups;

namespace RaftMq.Kafka.Calls;

/// <summary>A request to a group's coordinator as a task; null when this node is not the coordinator. Its continuations never run inside the broker's section.</summary>
internal sealed class GroupCall<TResult> : ICoordinatorCall, IReply<TResult>
    where TResult : class
{
    private readonly TaskCompletionSource<TResult?> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action<GroupCoordinator, IReply<TResult>, long> ask;

    private GroupCall(Action<GroupCoordinator, IReply<TResult>, long> ask)
    {
        this.ask = ask;
    }

    /// <param name="broker">The broker.</param>
    /// <param name="consumerGroup">Whose coordinator is asked.</param>
    /// <param name="ask">Puts the request; its third argument is the broker's time in milliseconds.</param>
    /// <param name="cancellation">Ends the waiting, not the request.</param>
    public static Task<TResult?> RunAsync(
        IBroker broker,
        string consumerGroup,
        Action<GroupCoordinator, IReply<TResult>, long> ask,
        CancellationToken cancellation)
    {
        var call = new GroupCall<TResult>(ask);
        broker.WithCoordinator(consumerGroup, call);
        return call.done.Task.WaitAsync(cancellation);
    }

    public void Run(GroupCoordinator coordinator, long nowMs) => ask(coordinator, this, nowMs);

    public void NotHere() => done.TrySetResult(null);

    public void Complete(TResult result) => done.TrySetResult(result);
}
