using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using RaftMq.Broker;
using RaftMq.Broker.Controller;

namespace RaftMq.Server.Admin;

/// <summary>One administrative command on its way through the broker to an HTTP answer.</summary>
internal sealed class AdminCall : IAdminCompletion
{
    private const int DeadlineMs = 15_000;

    private readonly TaskCompletionSource<AdminResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AdminCall()
    {
    }

    public static async Task<IResult> RunAsync(IBroker broker, AdminCommand command, CancellationToken cancellation)
    {
        var call = new AdminCall();

        // The broker keeps the deadline on its own monotonic clock, which is the machine's (SystemClock).
        long nowMs = Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);
        broker.Administer(command, nowMs + DeadlineMs, call);
        AdminResult result = await call._done.Task.WaitAsync(cancellation);
        TopicAnswer? topic = result.Topic is null ? null : AdminView.Of(result.Topic, broker.Cluster);
        return Results.Json(new AdminAnswer(result.Outcome.ToString(), result.Message, topic), statusCode: StatusOf(result.Outcome));
    }

    public void Completed(AdminResult result) => _done.TrySetResult(result);

    private static int StatusOf(AdminOutcome outcome) => outcome switch
    {
        AdminOutcome.Done => StatusCodes.Status200OK,
        AdminOutcome.UnknownTopic or AdminOutcome.UnknownPartition or AdminOutcome.UnknownNode => StatusCodes.Status404NotFound,
        AdminOutcome.TopicExists or AdminOutcome.Refused or AdminOutcome.NotMoving => StatusCodes.Status409Conflict,
        AdminOutcome.TimedOut => StatusCodes.Status504GatewayTimeout,
        AdminOutcome.NotController => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };
}
