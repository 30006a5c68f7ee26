using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Nodes;

namespace RaftMq.Kafka.Producers;

/// <summary>
/// Gives out producer ids from blocks that the controller allots to this node. An id is given once; what is left of a block when the
/// node stops is never used, of 2^63 that is no loss.
/// </summary>
internal sealed class ProducerIdBlocks(KafkaNode node)
{
    private readonly Lock gate = new();
    private long next;
    private long end;

    // The one allotment under way; whoever finds the block used up awaits it.
    private TaskCompletionSource<AdminResult>? allotment;

    /// <summary>The id, or -1 and what the controller answered instead.</summary>
    public async ValueTask<(long ProducerId, AdminResult Result)> TakeAsync(CancellationToken cancellation)
    {
        while (true)
        {
            TaskCompletionSource<AdminResult> pending;
            bool first = false;
            lock (gate)
            {
                if (next < end)
                {
                    return (next++, new AdminResult(AdminOutcome.Done));
                }

                if (allotment is null)
                {
                    allotment = new TaskCompletionSource<AdminResult>(TaskCreationOptions.RunContinuationsAsynchronously);
                    first = true;
                }

                pending = allotment;
            }

            if (first)
            {
                await AllotAsync(pending);
            }

            AdminResult result = await pending.Task.WaitAsync(cancellation);
            if (result.Outcome != AdminOutcome.Done)
            {
                return (-1, result);
            }
        }
    }

    /// <summary>Not cancelled with the connection that began it: others await the same block. The broker answers at the deadline at the latest.</summary>
    private async Task AllotAsync(TaskCompletionSource<AdminResult> pending)
    {
        int count = node.Limits.ProducerIdBlock;
        AdminResult result = await AdminCall.RunAsync(
            node.Broker,
            new AdminCommand.AllocateProducerIds(count),
            node.AdminDeadlineMs(node.Limits.AdminTimeoutMsMin),
            CancellationToken.None);
        lock (gate)
        {
            if (result.Outcome == AdminOutcome.Done)
            {
                next = result.Number;
                end = result.Number + count;
            }

            allotment = null;
        }

        pending.SetResult(result);
    }
}
