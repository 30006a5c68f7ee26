using RaftMq.Broker;
using RaftMq.Broker.Controller;

namespace RaftMq.Kafka.Calls;

/// <summary>An administrative command as a task. Its continuations never run inside the broker's section.</summary>
internal sealed class AdminCall : IAdminCompletion
{
    private readonly TaskCompletionSource<AdminResult> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AdminCall()
    {
    }

    public static Task<AdminResult> RunAsync(IBroker broker, AdminCommand command, long deadlineMs, CancellationToken cancellation)
    {
        var call = new AdminCall();
        broker.Administer(command, deadlineMs, call);
        return call.done.Task.WaitAsync(cancellation);
    }

    public void Completed(AdminResult result) => done.TrySetResult(result);
}
