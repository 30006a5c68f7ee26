using System.Net.Sockets;
using RaftMq.Raft;

namespace RaftMq.Server.Sockets;

internal enum SendOutcome
{
    Sent,

    /// <summary>The socket takes no more now; go on with <see cref="GatheredSend.SendAsync"/>.</summary>
    WouldWait,
    Broken,
}

/// <summary>
/// Buffers on their way to a socket, sent one behind the other with as few system calls as it takes. Small pieces are copied together,
/// because each buffer of a gathered send costs more than copying some kilobytes. Used by one thread at a time.
/// </summary>
/// <param name="copiedBytesMax">Room for pieces that are copied, between two sends.</param>
internal sealed class GatheredSend(int copiedBytesMax)
{
    /// <summary>The kernel takes at most 1024 buffers in one call (UIO_MAXIOV).</summary>
    public const int BuffersMax = 1000;

    private readonly List<ArraySegment<byte>> _buffers = [];
    private byte[]? _copied;
    private int _copiedUsed;

    public int FreeCopied => copiedBytesMax - _copiedUsed;

    public int Buffers => _buffers.Count;

    /// <summary>Room to write a piece into; filled by the caller before the next call.</summary>
    public Span<byte> Reserve(int bytes)
    {
        Invariant.Holds(bytes <= FreeCopied);
        _copied ??= new byte[copiedBytesMax];
        int start = _copiedUsed;
        _copiedUsed += bytes;
        ArraySegment<byte> previous = _buffers.Count > 0 ? _buffers[^1] : default;
        if (ReferenceEquals(previous.Array, _copied) && previous.Offset + previous.Count == start)
        {
            _buffers[^1] = new ArraySegment<byte>(_copied, previous.Offset, previous.Count + bytes);
        }
        else
        {
            _buffers.Add(new ArraySegment<byte>(_copied, start, bytes));
        }

        return _copied.AsSpan(start, bytes);
    }

    /// <summary>A piece that stays where it is; not to be changed until everything is sent.</summary>
    public void Add(ArraySegment<byte> buffer) => _buffers.Add(buffer);

    /// <summary>Sends what the socket takes without waiting. The socket must be non-blocking.</summary>
    public SendOutcome TrySend(Socket socket)
    {
        try
        {
            while (_buffers.Count > 0)
            {
                SocketError error;
                int sent = _buffers.Count == 1
                    ? socket.Send(_buffers[0].AsSpan(), SocketFlags.None, out error)
                    : socket.Send(_buffers, SocketFlags.None, out error);
                if (error == SocketError.WouldBlock)
                {
                    return SendOutcome.WouldWait;
                }

                if (error != SocketError.Success)
                {
                    Clear();
                    return SendOutcome.Broken;
                }

                Advance(sent);
            }
        }
        catch (ObjectDisposedException)
        {
            Clear();
            return SendOutcome.Broken;
        }

        Clear();
        return SendOutcome.Sent;
    }

    /// <summary>Sends everything, waiting for the other side; through <paramref name="tls"/> when there is one. False: broken.</summary>
    public async Task<bool> SendAsync(Socket socket, Stream? tls)
    {
        try
        {
            while (_buffers.Count > 0)
            {
                if (tls is null)
                {
                    Advance(await socket.SendAsync(_buffers, SocketFlags.None));
                }
                else
                {
                    await tls.WriteAsync(_buffers[0]);
                    _buffers.RemoveAt(0);
                }
            }

            return true;
        }
        catch (Exception exception) when (exception is SocketException or IOException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            Clear();
        }
    }

    private void Advance(int sent)
    {
        int whole = 0;
        while (whole < _buffers.Count && sent >= _buffers[whole].Count)
        {
            sent -= _buffers[whole].Count;
            whole++;
        }

        _buffers.RemoveRange(0, whole);
        if (sent > 0)
        {
            Invariant.Holds(_buffers.Count > 0);
            _buffers[0] = _buffers[0][sent..];
        }
    }

    private void Clear()
    {
        _buffers.Clear();
        _copiedUsed = 0;
    }
}
