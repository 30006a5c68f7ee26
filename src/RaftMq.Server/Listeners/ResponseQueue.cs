using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using RaftMq.Kafka.Connections;
using RaftMq.Server.Sockets;

namespace RaftMq.Server.Listeners;

/// <summary>
/// The answers of one connection, in the order of its requests. Whoever completes the oldest one sends it, and all that are ready
/// behind it, in one gathered call (<see cref="SendLoop"/>).
/// </summary>
internal sealed class ResponseQueue : ISendQueue
{
    private const int SentHereBytesMax = 64 << 10;
    private const int GatherBytesTarget = 1 << 20;
    private const int CopiedBytesMax = 2048;
    private const int CopiedBytesPerSend = 8 << 10;

    private readonly ListenerLimits _limits;
    private readonly ListenerMetrics _metrics;
    private readonly Action<CloseCause, string> _close;

    // Under the lock.
    private readonly Lock _lock = new();
    private readonly Queue<PendingResponse> _order = new();
    private long _waitingBytes;
    private bool _sending;
    private bool _closed;
    private TaskCompletionSource? _room;

    // The sender's, whoever that is (_sending).
    private readonly GatheredSend _gather = new(CopiedBytesPerSend);
    private readonly List<KafkaResponse> _gathered = [];
    private long _gatheredBytes;
    private long _gatheredHeldBytes;
    private string? _closeReason;
    private readonly SendLoop _loop;
    private long _lastProgress = Stopwatch.GetTimestamp();

    /// <param name="close">Called when the connection can't go on: from any thread, at most a few times.</param>
    public ResponseQueue(
        Socket socket, Stream? tls, ListenerLimits limits, ListenerMetrics metrics, Action<CloseCause, string> close)
    {
        _limits = limits;
        _metrics = metrics;
        _close = close;
        _loop = new SendLoop(socket, tls, _gather, this);
    }

    public int InFlight
    {
        get
        {
            lock (_lock)
            {
                return _order.Count;
            }
        }
    }

    /// <summary>What counts against the connection's limits.</summary>
    public (int Requests, long ResponseBytes) Use
    {
        get
        {
            lock (_lock)
            {
                return (_order.Count, _waitingBytes);
            }
        }
    }

    /// <summary>Since when an answer waits that the client does not take; null when none does.</summary>
    public long? StalledSince
    {
        get
        {
            lock (_lock)
            {
                return _sending ? Volatile.Read(ref _lastProgress) : null;
            }
        }
    }

    /// <summary>Opens the place of the next request.</summary>
    public PendingResponse Open(int apiKey, long startedAt)
    {
        var pending = new PendingResponse(this, apiKey, startedAt);
        lock (_lock)
        {
            _order.Enqueue(pending);
        }

        _metrics.InFlight.Add(1);
        return pending;
    }

    /// <summary>Completes when the connection may be read on: fewer requests in flight and fewer bytes unsent than their limits.</summary>
    public ValueTask WaitForRoomAsync()
    {
        lock (_lock)
        {
            if (HasRoom)
            {
                return ValueTask.CompletedTask;
            }

            _metrics.Paused.Increment();
            _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_room.Task);
        }
    }

    /// <summary>The connection is gone: nothing more is sent, late answers are disposed.</summary>
    public async Task CloseAsync()
    {
        lock (_lock)
        {
            _closed = true;
            if (!_sending)
            {
                DropAll();
            }

            _room?.TrySetResult();
        }

        await _loop.Task;
    }

    internal void Answered(PendingResponse pending, KafkaResponse? response, string? closeReason)
    {
        long held = response?.HeldBytes() ?? 0;
        _metrics.Answered(pending.ApiKey, (long)Stopwatch.GetElapsedTime(pending.StartedAt).TotalNanoseconds);
        lock (_lock)
        {
            if (_closed)
            {
                response?.Dispose();
                return;
            }

            pending.Response = response;
            pending.CloseReason = closeReason;
            pending.IsReady = true;
            pending.HeldBytes = held;
            Waiting(held);

            if (_sending || !_order.Peek().IsReady)
            {
                return;
            }

            _sending = true;

            // Nothing waited until now, however long ago the last answer went out.
            Volatile.Write(ref _lastProgress, Stopwatch.GetTimestamp());
        }

        _loop.Send();
    }

    private bool HasRoom => _closed || (_order.Count < _limits.InFlightMax && _waitingBytes <= _limits.ResponseBytesMax);

    /// <summary>The thread that completes a large answer is usually inside a shard, and copying megabytes would hold that up.</summary>
    bool ISendQueue.IsForTask => _gatheredBytes > SentHereBytesMax;

    bool ISendQueue.GatherNext()
    {
        FinishGathered();
        lock (_lock)
        {
            Volatile.Write(ref _lastProgress, Stopwatch.GetTimestamp());
            if (_closed)
            {
                DropAll();
                _sending = false;
                return false;
            }

            while (_closeReason is null && _gatheredBytes < GatherBytesTarget && _gather.Buffers < GatheredSend.BuffersMax / 2
                && _order.TryPeek(out PendingResponse? next) && next.IsReady)
            {
                _order.Dequeue();
                _metrics.InFlight.Add(-1);
                _closeReason = next.CloseReason;
                if (next.Response is { } response)
                {
                    _gatheredHeldBytes += next.HeldBytes;
                    Gather(response);
                }
            }

            _sending = _gathered.Count > 0;
            if (HasRoom)
            {
                _room?.TrySetResult();
                _room = null;
            }
        }

        if (!_sending && _closeReason is not null)
        {
            _close(CloseCause.BySession, _closeReason);
        }

        return _sending;
    }

    private void Gather(KafkaResponse response)
    {
        _gathered.Add(response);
        _gatheredBytes += response.LengthBytes;
        foreach (ReadOnlyMemory<byte> buffer in response.Buffers)
        {
            if (buffer.Length <= CopiedBytesMax && buffer.Length <= _gather.FreeCopied)
            {
                buffer.Span.CopyTo(_gather.Reserve(buffer.Length));
            }
            else if (MemoryMarshal.TryGetArray(buffer, out ArraySegment<byte> segment))
            {
                _gather.Add(segment);
            }
            else
            {
                _gather.Add(buffer.ToArray());
            }
        }
    }

    private void FinishGathered()
    {
        if (_gathered.Count == 0)
        {
            return;
        }

        foreach (KafkaResponse response in _gathered)
        {
            response.Dispose();
        }

        _gathered.Clear();
        _metrics.SentBytes.Add(_gatheredBytes);
        lock (_lock)
        {
            Waiting(-_gatheredHeldBytes);
        }

        _gatheredBytes = 0;
        _gatheredHeldBytes = 0;
    }

    void ISendQueue.GiveUp()
    {
        FinishGathered();
        lock (_lock)
        {
            _closed = true;
            _sending = false;
            DropAll();
            _room?.TrySetResult();
        }

        _close(CloseCause.ByClient, "the connection broke while answering");
    }

    private void DropAll()
    {
        while (_order.TryDequeue(out PendingResponse? pending))
        {
            _metrics.InFlight.Add(-1);
            if (pending.Response is { } response)
            {
                Waiting(-pending.HeldBytes);
                response.Dispose();
                pending.Response = null;
            }
        }
    }

    private void Waiting(long bytes)
    {
        _waitingBytes += bytes;
        _metrics.ResponseBytes.Add(bytes);
    }
}
