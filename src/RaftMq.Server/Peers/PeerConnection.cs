using System.Net.Sockets;
using RaftMq.Broker.Environment;
using RaftMq.Server.Sockets;

namespace RaftMq.Server.Peers;

/// <summary>
/// One established connection to a node, for this node's frames. Its life:
/// 1. made after the preambles were exchanged;
/// 2. a thread that sends finds nobody sending: it becomes the sender (<see cref="SendLoop"/>);
/// 3. broken (by any error): frames that wait are dropped, later ones refused.
/// Strict priority between lanes is kept between gathers of at most <see cref="GatherBytesTarget"/>.
/// </summary>
internal sealed class PeerConnection : IDisposable, ISendQueue
{
    /// <summary>One gathered send; a control frame waits for at most this and what the kernel holds.</summary>
    private const int GatherBytesTarget = 256 << 10;
    private const int GatherFramesMax = 64;

    /// <summary>Up to here copying a frame behind its neighbour is cheaper than one more buffer for the kernel.</summary>
    private const int CopiedBytesMax = 4096;

    private readonly Socket _socket;
    private readonly Stream? _tls;
    private readonly long _queueBytesMax;
    private readonly PeerMetrics _metrics;

    // Under the lock.
    private readonly Lock _lock = new();
    private readonly Queue<PeerFrame>[] _lanes = [new(), new(), new()];
    private long _queuedBytes;
    private bool _sending;
    private bool _broken;

    // The sender's, whoever that is (_sending).
    private readonly GatheredSend _gather = new(GatherFramesMax * (CopiedBytesMax + PeerFrameHeader.Bytes));
    private readonly List<PeerFrame> _gathered = [];
    private readonly SendLoop _loop;

    /// <param name="tls">Over the same socket when the connection is encrypted; then all sending is done in the task.</param>
    public PeerConnection(Socket socket, Stream? tls, long queueBytesMax, PeerMetrics metrics)
    {
        _socket = socket;
        _socket.Blocking = tls is not null;
        _tls = tls;
        _queueBytesMax = queueBytesMax;
        _metrics = metrics;
        _loop = new SendLoop(socket, tls, _gather, this);
    }

    public long QueuedBytes => Interlocked.Read(ref _queuedBytes);

    public void Send(PeerLane lane, PeerFrame frame)
    {
        lock (_lock)
        {
            if (_broken || _queuedBytes + frame.Length > _queueBytesMax)
            {
                _metrics.Dropped(_broken ? PeerDrop.Disconnected : PeerDrop.QueueFull);
                PeerFramePool.Return(frame);
                return;
            }

            _lanes[(int)lane].Enqueue(frame);
            _queuedBytes += frame.Length;
            if (_sending)
            {
                return;
            }

            _sending = true;
        }

        _loop.Send();
    }

    /// <summary>Completes when the connection is broken, whoever finds out first. Never fails.</summary>
    public async Task WaitUntilBrokenAsync()
    {
        byte[] nothing = new byte[64];
        try
        {
            // The other side sends nothing here after its preamble: whatever arrives is the end.
            int read = _tls is null ? await _socket.ReceiveAsync(nothing) : await _tls.ReadAsync(nothing);
            _ = read;
        }
        catch (Exception exception) when (exception is SocketException or IOException or ObjectDisposedException)
        {
            // Broken; that is what was waited for.
        }

        Break();
        await _loop.Task;
    }

    public void Dispose() => Break();

    private void Break()
    {
        lock (_lock)
        {
            _broken = true;
            if (!_sending)
            {
                DropQueued();
            }
        }

        _socket.Dispose();
    }

    bool ISendQueue.IsForTask => false;

    bool ISendQueue.GatherNext()
    {
        ReturnGathered();
        lock (_lock)
        {
            if (_broken)
            {
                DropQueued();
                _sending = false;
                return false;
            }

            long bytes = 0;
            while (_gathered.Count < GatherFramesMax && bytes < GatherBytesTarget && TryDequeue(out PeerLane lane, out PeerFrame? frame))
            {
                _metrics.SentFrame((int)lane);
                bytes += PeerFrameHeader.Bytes + frame.Length;
                Gather(lane, frame);
            }

            _sending = _gathered.Count > 0;
            _metrics.SentBytes.Add(bytes);
            return _sending;
        }
    }

    private void Gather(PeerLane lane, PeerFrame frame)
    {
        PeerFrameHeader.Write(_gather.Reserve(PeerFrameHeader.Bytes), lane, frame.Written.Span);
        if (frame.Length <= CopiedBytesMax)
        {
            frame.Written.Span.CopyTo(_gather.Reserve(frame.Length));
        }
        else
        {
            _gather.Add(new ArraySegment<byte>(frame.Buffer, 0, frame.Length));
        }

        _gathered.Add(frame);
    }

    private bool TryDequeue(out PeerLane lane, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PeerFrame? frame)
    {
        for (int i = 0; i < _lanes.Length; i++)
        {
            if (_lanes[i].TryDequeue(out frame))
            {
                _queuedBytes -= frame.Length;
                lane = (PeerLane)i;
                return true;
            }
        }

        lane = default;
        frame = null;
        return false;
    }

    void ISendQueue.GiveUp()
    {
        _metrics.Dropped(PeerDrop.ConnectionLost, _gathered.Count);
        ReturnGathered();
        lock (_lock)
        {
            _sending = false;
        }

        Break();
    }

    private void ReturnGathered()
    {
        foreach (PeerFrame frame in _gathered)
        {
            PeerFramePool.Return(frame);
        }

        _gathered.Clear();
    }

    private void DropQueued()
    {
        while (TryDequeue(out _, out PeerFrame? frame))
        {
            _metrics.Dropped(PeerDrop.ConnectionLost);
            PeerFramePool.Return(frame);
        }
    }
}
