using System.Diagnostics;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Brokers;

/// <summary>
/// One change of the cluster, asked of the controller again while none leads, its connection breaks, or the answer is one that passes: another
/// controller is elected within seconds.
/// </summary>
/// <param name="failed">The beginning of the sentence that says that it was not done.</param>
/// <param name="patience">For so long it is tried.</param>
internal sealed class ControllerCall(KafkaCluster cluster, string failed, TimeSpan patience)
{
    private static readonly TimeSpan PauseTime = TimeSpan.FromMilliseconds(100);

    /// <summary>What the broker is given longer than its own deadline to say so.</summary>
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    private readonly long started = Stopwatch.GetTimestamp();

    /// <summary>A try went out, and whether it was carried out is not known.</summary>
    public bool MayBeDone { get; private set; }

    /// <param name="ask">Sends it, with milliseconds that the broker may take.</param>
    /// <param name="cancellation">Ends the tries.</param>
    /// <returns>The answer, when it is none that passes.</returns>
    /// <exception cref="KafkaConnectionException">No broker answers.</exception>
    /// <exception cref="CommandFailedException">Nothing else came in all that time.</exception>
    public async Task<(KafkaError Error, string? Message)> RunAsync(
        Func<KafkaConnection, int, CancellationToken, Task<(KafkaError Error, string? Message)>> ask, CancellationToken cancellation)
    {
        bool found = false;
        while (true)
        {
            string why;
            KafkaConnection? controller = null;
            try
            {
                ClusterView view = await cluster.RefreshAsync([], cancellation);
                found = true;
                if (view.ControllerId < 0)
                {
                    why = "the cluster has no controller now";
                }
                else
                {
                    controller = await cluster.GetConnectionAsync(view.ControllerId, cancellation);
                    (KafkaError error, string? message) = await AskAsync(controller, ask, cancellation);
                    if (!Passes(error))
                    {
                        return (error, message);
                    }

                    MayBeDone |= error == KafkaError.RequestTimedOut;
                    why = KafkaErrors.Name(error) + (string.IsNullOrEmpty(message) ? "" : $" ({message})");
                }
            }
            catch (KafkaConnectionException wrong) when (found && controller is not { IsOpen: true })
            {
                MayBeDone |= controller is not null;
                why = wrong.Message;
            }

            if (Stopwatch.GetElapsedTime(started) + PauseTime >= patience)
            {
                throw Late(why);
            }

            await Task.Delay(PauseTime, cancellation);
        }
    }

    // Missing is what a deletion is told of a topic that is not there, and that stays so.
    private static bool Passes(KafkaError error) => KafkaErrors.IsRetriable(error) && error != KafkaError.UnknownTopicOrPartition;

    private async Task<(KafkaError Error, string? Message)> AskAsync(
        KafkaConnection controller, Func<KafkaConnection, int, CancellationToken, Task<(KafkaError Error, string? Message)>> ask,
        CancellationToken cancellation)
    {
        TimeSpan left = TimeSpan.FromMilliseconds(Math.Max(1, (patience - Stopwatch.GetElapsedTime(started)).TotalMilliseconds));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(left + AnswerTime);
        try
        {
            return await ask(controller, (int)left.TotalMilliseconds, ending.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            MayBeDone = true;
            throw Late($"{controller.Endpoint} takes the request and says nothing");
        }
    }

    private CommandFailedException Late(string why) => new(
        ExitCodes.Unreachable,
        $"{failed}: {why}, and so for {patience.TotalSeconds:0.#} s.{(MayBeDone ? " It may still be done, or be done already." : "")}");
}
