using System.Buffers;
using RaftMq.Raft;

namespace RaftMq.Server.Listeners;

/// <summary>
/// The bytes of one connection that are received and not yet handled, in one piece. Grows only as bytes really arrive, at most to
/// twice what is there, unless the connection has sent a request of that size before: a lying length costs a few kilobytes.
/// Shrinks to <see cref="IdleBytes"/> while the connection is silent. Not safe for several threads.
/// </summary>
internal sealed class RequestBuffer(RequestMemory memory, TimeSpan memoryWait) : IDisposable
{
    /// <summary>10,000 silent connections keep 40 MiB.</summary>
    public const int IdleBytes = 4096;

    /// <summary>Up to here a buffer does not count against the node's budget: 10,000 connections times 64 KiB are the budget's neighbour.</summary>
    public const int UncountedBytes = 64 << 10;

    /// <summary>Larger buffers are not kept by the pool, and no connection may claim more before the bytes are there.</summary>
    private const int PooledBytesMax = 4 << 20;

    /// <summary>Less room than this is not worth a system call.</summary>
    private const int ReceiveBytesMin = 4096;

    private byte[] _bytes = Rent(IdleBytes);
    private int _start;
    private int _end;
    private long _counted;

    /// <summary>The largest request that this connection has sent whole: so much it may claim at once.</summary>
    private int _earned = UncountedBytes;

    public int Count => _end - _start;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(_start, Count);

    /// <summary>Where the next bytes go; never empty.</summary>
    public Memory<byte> Free
    {
        get
        {
            Invariant.Holds(_end < _bytes.Length);
            return _bytes.AsMemory(_end);
        }
    }

    public bool IsIdleSized => _bytes.Length <= IdleBytes;

    public void Received(int bytes)
    {
        _end += bytes;
        Invariant.Holds(_end <= _bytes.Length);
    }

    public ReadOnlyMemory<byte> Frame(int offset, int length) => _bytes.AsMemory(_start + offset, length);

    /// <summary>The first bytes are handled.</summary>
    public void Consume(int bytes)
    {
        Invariant.Holds(bytes <= Count);
        _start += bytes;
        _earned = Math.Min(PooledBytesMax, Math.Max(_earned, bytes));
        if (_start == _end)
        {
            _start = 0;
            _end = 0;
        }
    }

    /// <summary>Gives a large buffer back; only when nothing is in it.</summary>
    public void Shrink()
    {
        if (Count == 0 && !IsIdleSized)
        {
            Replace(IdleBytes, _counted);
        }
    }

    /// <summary>
    /// Makes room for more of a piece that will be <paramref name="whole"/> bytes long, counted from the first byte in the buffer.
    /// </summary>
    /// <returns>False when the node has no memory for requests left.</returns>
    public async ValueTask<bool> MakeRoomAsync(int whole, CancellationToken cancellation)
    {
        if (_start + whole <= _bytes.Length && _end < _bytes.Length)
        {
            return true;
        }

        // What the connection has earned it gets at once; beyond that the buffer grows only when it is full, so that a large request is
        // copied a few times and not at every receive.
        int claim = Math.Min(whole, _earned);
        if (_bytes.Length >= claim)
        {
            if (_bytes.Length - _end >= ReceiveBytesMin)
            {
                return true;
            }

            if (_bytes.Length - Count >= ReceiveBytesMin)
            {
                MoveToFront();
                return true;
            }
        }

        int wanted = (int)Math.Max(claim, Math.Min(whole, Count * 2L));

        // The pool gives powers of two; the budget counts what is really held.
        wanted = Math.Max(wanted, Count + 1);
        long counted = wanted <= UncountedBytes ? 0 : wanted;
        if (counted > _counted && !await memory.TakeAsync(counted - _counted, memoryWait, cancellation))
        {
            return false;
        }

        long given = Math.Max(0, _counted - counted);
        _counted = Math.Max(_counted, counted);
        Replace(wanted, given);
        return true;
    }

    public void Dispose()
    {
        memory.Give(_counted);
        _counted = 0;
        Return(_bytes);
        _bytes = [];
        _start = 0;
        _end = 0;
    }

    private static byte[] Rent(int bytes) =>
        bytes <= PooledBytesMax ? ArrayPool<byte>.Shared.Rent(bytes) : GC.AllocateUninitializedArray<byte>(bytes);

    private static void Return(byte[] buffer)
    {
        if (buffer.Length is > 0 and <= PooledBytesMax)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void MoveToFront()
    {
        _bytes.AsSpan(_start, Count).CopyTo(_bytes);
        _end -= _start;
        _start = 0;
    }

    private void Replace(int bytes, long given)
    {
        byte[] next = Rent(bytes);
        Bytes.CopyTo(next);
        Return(_bytes);
        _bytes = next;
        _end -= _start;
        _start = 0;
        memory.Give(given);
        _counted -= given;
    }
}
