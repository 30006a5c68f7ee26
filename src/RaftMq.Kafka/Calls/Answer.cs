namespace RaftMq.Kafka.Calls;

/// <summary>A broker's answer as a task. Its continuations never run inside the broker's section.</summary>
internal sealed class Answer<TResult>
{
    private readonly TaskCompletionSource<TResult> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Complete(TResult result) => done.TrySetResult(result);

    public Task<TResult> WaitAsync(CancellationToken cancellation) => done.Task.WaitAsync(cancellation);
}
