using System.Threading.Tasks.Sources;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Producing;

/// <summary>
/// One produce request from its first batch to its answer; used again by later requests of the same connection, several of which may be
/// under way at once.
/// 1. The handler adds the batches that it found good (<see cref="Add"/>), then hands all of them on (<see cref="HandOnAsync"/>).
/// 2. When all are admitted, the frame is free and the connection may be read on: the task of <see cref="HandOnAsync"/> ends.
/// 3. When all are completed, the answer leaves on the thread that brought the last one.
/// </summary>
internal sealed class ProduceOperation : IProduceCompletion, IValueTaskSource
{
    /// <summary>Commands kept for later requests; a request with more batches pays for the rest each time.</summary>
    private const int CommandsKeptMax = 256;

    private readonly KafkaNode node;
    private readonly ProducePool pool;
    private readonly List<ProduceCommand> commands = [];
    private readonly List<ProduceResponse.Partition> answers = [];
    private ManualResetValueTaskSourceCore<bool> admitted = new() { RunContinuationsAsynchronously = true };
    private KafkaRequest request = null!;
    private ProduceResponse response = null!;
    private bool silent;
    private long startedMs;
    private long deadlineMs;
    private volatile int waitedMs;

    // Each batch, plus one for the thread that hands them on.
    private int unadmitted;
    private int uncompleted;

    // The admission and the answer both let go of the operation; the second gives it back to the pool.
    private int holds;

    public ProduceOperation(KafkaNode node, ProducePool pool)
    {
        this.node = node;
        this.pool = pool;
    }

    /// <param name="produceRequest">Where the answer goes.</param>
    /// <param name="produceResponse">Its partitions are filled in as batches complete.</param>
    /// <param name="acksNone">The client wants no answer: an error can only be shown by closing the connection.</param>
    /// <param name="timeoutMs">Of the request, from now on.</param>
    public void Begin(KafkaRequest produceRequest, ProduceResponse produceResponse, bool acksNone, int timeoutMs)
    {
        request = produceRequest;
        response = produceResponse;
        silent = acksNone;
        waitedMs = 0;
        startedMs = node.Clock.MonotonicMs;
        deadlineMs = startedMs + timeoutMs;
    }

    public void Add(GroupId group, ReadOnlyMemory<byte> batch, ProduceResponse.Partition answer)
    {
        int tag = answers.Count;
        if (tag == commands.Count)
        {
            commands.Add(new ProduceCommand { Group = group, Batch = batch, DeadlineMs = 0, Completion = this, Tag = tag });
        }

        ProduceCommand command = commands[tag];
        command.Group = group;
        command.Batch = batch;
        command.DeadlineMs = deadlineMs;
        answers.Add(answer);
    }

    public ValueTask HandOnAsync()
    {
        admitted.Reset();
        short version = admitted.Version;
        int count = answers.Count;
        Volatile.Write(ref holds, 2);
        Volatile.Write(ref uncompleted, count + 1);
        Volatile.Write(ref unadmitted, count + 1);
        for (int i = 0; i < count; i++)
        {
            node.Broker.Produce(commands[i]);
        }

        // Decided before the answer may leave: after the second hold is gone the operation is another request's.
        bool allAdmitted = Interlocked.Decrement(ref unadmitted) == 0;
        CompleteOne();
        if (allAdmitted)
        {
            LetGo();
            return ValueTask.CompletedTask;
        }

        return new ValueTask(this, version);
    }

    public void Admitted(ProduceCommand command)
    {
        command.Batch = default;
        if (Interlocked.Decrement(ref unadmitted) == 0)
        {
            waitedMs = (int)Math.Min(node.Clock.MonotonicMs - startedMs, node.Limits.ThrottleMsMax);
            waitedMs = waitedMs < node.Limits.ThrottleMsMin ? 0 : waitedMs;
            admitted.SetResult(true);
        }
    }

    public void Completed(ProduceCommand command, in ProduceResult result)
    {
        ProduceResponse.Partition answer = answers[command.Tag];
        answer.Error = ErrorMap.Of(result.Outcome);
        answer.BaseOffset = result.BaseOffset;
        answer.LogAppendTimeMs = result.LogAppendTimeMs;
        answer.LogStartOffset = result.LogStartOffset;
        answer.ErrorMessage = result.Message;
        CompleteOne();
    }

    public ValueTaskSourceStatus GetStatus(short token) => admitted.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        admitted.OnCompleted(continuation, state, token, flags);

    public void GetResult(short token)
    {
        admitted.GetResult(token);
        LetGo();
    }

    private void CompleteOne()
    {
        if (Interlocked.Decrement(ref uncompleted) == 0)
        {
            Answer();
            LetGo();
        }
    }

    private void Answer()
    {
        if (silent)
        {
            AnswerByClosingOnly();
            return;
        }

        response.ThrottleTimeMs = waitedMs;
        request.Answer(response);
    }

    private void AnswerByClosingOnly()
    {
        foreach (ProduceResponse.Topic topic in response.Topics)
        {
            foreach (ProduceResponse.Partition partition in topic.Partitions)
            {
                if (partition.Error != KafkaError.None)
                {
                    request.Close($"produce without acks failed for {topic.Name}-{partition.Index}: {partition.Error}");
                    return;
                }
            }
        }

        request.AnswerNothing();
    }

    private void LetGo()
    {
        if (Interlocked.Decrement(ref holds) != 0)
        {
            return;
        }

        answers.Clear();
        if (commands.Count > CommandsKeptMax)
        {
            commands.RemoveRange(CommandsKeptMax, commands.Count - CommandsKeptMax);
        }

        request = null!;
        response = null!;
        pool.Return(this);
    }
}
