using RaftMq.Broker;
using RaftMq.Broker.Controller;

namespace RaftMq.Kafka.Calls;

/// <summary>An administrative command as a task. Its continuations never run inside the broker's section.</summary>
internal sealed class AdminCall : IAdminCompletion
{
    private readonly Answer<AdminResult> answer = new();

    private AdminCall()
    {
    }

    public static Task<AdminResult> RunAsync(IBroker broker, AdminCommand command, long deadlineMs, CancellationToken cancellation)
    {
        var call = new AdminCall();
        broker.Administer(command, deadlineMs, call);
        return call.answer.WaitAsync(cancellation);
    }

    public void Completed(AdminResult result) => answer.Complete(result);
}
