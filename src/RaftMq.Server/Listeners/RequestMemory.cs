using RaftMq.Raft;

namespace RaftMq.Server.Listeners;

/// <summary>
/// The node's budget for request bytes. Who finds none left waits in line; those who hold part of a request while they wait for the
/// rest could wait for each other, which the time limit of the waiting ends.
/// </summary>
internal sealed class RequestMemory(long bytesMax)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<(long Bytes, TaskCompletionSource Granted)> _line = new();
    private long _used;

    public long UsedBytes => Interlocked.Read(ref _used);

    /// <returns>False when nothing came free in time.</returns>
    public ValueTask<bool> TakeAsync(long bytes, TimeSpan wait, CancellationToken cancellation)
    {
        Invariant.Holds(bytes >= 0);
        lock (_lock)
        {
            // A request larger than the whole budget passes alone.
            if (_line.Count == 0 && (_used + bytes <= bytesMax || _used == 0))
            {
                _used += bytes;
                return new ValueTask<bool>(result: true);
            }

            var granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            LinkedListNode<(long, TaskCompletionSource)> node = _line.AddLast((bytes, granted));
            return WaitAsync(node, granted, wait, cancellation);
        }
    }

    public void Give(long bytes)
    {
        lock (_lock)
        {
            _used -= bytes;
            Invariant.Holds(_used >= 0);
            GrantNext();
        }
    }

    private async ValueTask<bool> WaitAsync(
        LinkedListNode<(long Bytes, TaskCompletionSource Granted)> node, TaskCompletionSource granted, TimeSpan wait,
        CancellationToken cancellation)
    {
        try
        {
            await granted.Task.WaitAsync(wait, cancellation);
            return true;
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            lock (_lock)
            {
                // Granted between the end of the wait and here: it holds what it asked for.
                if (granted.Task.IsCompleted)
                {
                    return true;
                }

                _line.Remove(node);
                GrantNext();
                return false;
            }
        }
    }

    private void GrantNext()
    {
        while (_line.First is { } first && (_used + first.Value.Bytes <= bytesMax || _used == 0))
        {
            _line.RemoveFirst();
            _used += first.Value.Bytes;
            first.Value.Granted.SetResult();
        }
    }
}
