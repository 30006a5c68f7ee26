using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

/// <summary>
/// One incoming connection on a thread of its own, which blocks in the receive: the kernel wakes the thread that carries the frame
/// through the node, with no hop in between. Measured on the reference machine, 512 bytes there and back with 1 ms of pause: 26 us
/// so, 33 us with inline socket completions, 89 us with ordinary async; there are only as many such threads as other nodes.
/// </summary>
internal sealed partial class PeerInbound : IDisposable
{
    private const int BufferBytes = 128 << 10;

    /// <summary>A frame above this is given room as its bytes arrive: a lying length costs what was really sent, at most doubled.</summary>
    private const int TrustedBytesMax = 2 << 20;

    private readonly Socket _socket;
    private readonly PeerOptions _options;
    private readonly PeerTransport _transport;
    private readonly PeerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Thread _thread;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private NodeId? _from;
    private long _heardAt = Stopwatch.GetTimestamp();

    public PeerInbound(Socket socket, PeerOptions options, PeerTransport transport, PeerMetrics metrics, ILogger logger)
    {
        _socket = socket;
        _options = options;
        _transport = transport;
        _metrics = metrics;
        _logger = logger;
        RemoteAddress = socket.RemoteEndPoint as IPEndPoint ?? new IPEndPoint(IPAddress.None, 0);
        _thread = new Thread(RunThread) { IsBackground = true, Name = "peer-in" };
    }

    /// <summary>Where the other side dialled from.</summary>
    public IPEndPoint RemoteAddress { get; }

    public string Remote => RemoteAddress.ToString();

    /// <summary>Which process of the node it is; set under the transport's lock when it takes its place.</summary>
    public ulong Process { get; set; }

    public BootNumber Boot { get; set; }

    /// <summary>Since a frame came, or the connection itself.</summary>
    public TimeSpan SilentFor => Stopwatch.GetElapsedTime(Volatile.Read(ref _heardAt));

    public void Start() => _thread.Start();

    /// <summary>Ends the receive from another thread.</summary>
    public void Close()
    {
        try
        {
            // Closing alone does not wake a thread that blocks in a receive; shutting down does.
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Already closed.
        }
    }

    public void Join()
    {
        if (_thread != Thread.CurrentThread)
        {
            _thread.Join();
        }
    }

    public void Dispose() => _socket.Dispose();

    private void RunThread()
    {
        try
        {
            Serve();
        }
        catch (Exception exception) when (
            exception is SocketException or IOException or ObjectDisposedException or AuthenticationException)
        {
            LogEnded(Remote, exception.Message);
        }
#pragma warning disable CA1031 // The top of an owned loop: an error in the node's own code must end the process.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _transport.Fatal($"frame from {_from} ({Remote})", exception);
        }
        finally
        {
            _socket.Dispose();
            _transport.Ended(this, _from);
        }
    }

    private void Serve()
    {
        PeerSockets.Configure(_socket);
        _socket.ReceiveTimeout = (int)_options.HandshakeTimeout.TotalMilliseconds;
        using Stream stream = OpenStream();
        byte[] bytes = new byte[PeerPreamble.Bytes];
        stream.ReadExactly(bytes);
        PeerPreamble? preamble = PeerPreamble.Read(bytes, out string? fault);
        if (preamble is null)
        {
            Refuse(fault!);
            return;
        }

        if (preamble.To == PeerPreamble.Anyone)
        {
            stream.Write(_transport.OwnPreamble(preamble.From).ToBytes());
            return;
        }

        if (preamble.To != _options.Self || preamble.From == _options.Self)
        {
            // Answered all the same: the dialling side then names both in its log.
            stream.Write(_transport.OwnPreamble(preamble.From).ToBytes());
            Refuse($"{preamble.From} dialled {preamble.To}, this is {_options.Self}");
            return;
        }

        if (_transport.TryTakePlace(this, preamble) is { } staying)
        {
            stream.Write(_transport.RefusalFor(staying, preamble.From).ToBytes());
            _metrics.BadFrames.Increment();
            return;
        }

        _from = preamble.From;
        stream.Write(_transport.OwnPreamble(preamble.From).ToBytes());
        _transport.Identified(preamble);
        _socket.ReceiveTimeout = 0;
        Receive(stream, preamble.From);
    }

    private Stream OpenStream()
    {
        var plain = new NetworkStream(_socket, ownsSocket: false);
        if (_options.Tls is null)
        {
            return plain;
        }

        var encrypted = new SslStream(plain);
        try
        {
            encrypted.AuthenticateAsServer(_options.Tls.ForServer());
            return encrypted;
        }
        catch
        {
            encrypted.Dispose();
            throw;
        }
    }

    private void Receive(Stream stream, NodeId from)
    {
        while (Fill(stream, PeerFrameHeader.Bytes))
        {
            if (!PeerFrameHeader.TryRead(_buffer.AsSpan(_start), out PeerFrameHeader header))
            {
                Refuse("impossible frame header");
                return;
            }

            _start += PeerFrameHeader.Bytes;
            PeerFrame? frame = ReadFrame(stream, header.Length);
            if (frame is null)
            {
                return;
            }

            Volatile.Write(ref _heardAt, Stopwatch.GetTimestamp());
            _metrics.ReceivedFrames.Increment();
            _metrics.ReceivedBytes.Add(PeerFrameHeader.Bytes + frame.Length);
            if (!header.Matches(frame.Written.Span))
            {
                PeerFramePool.Return(frame);
                Refuse("frame checksum does not match");
                return;
            }

            _transport.Receiver.Received(from, frame);
        }
    }

    /// <summary>Makes at least <paramref name="bytes"/> available in the buffer; false at the end of the stream.</summary>
    private bool Fill(Stream stream, int bytes)
    {
        if (_start == _end)
        {
            _start = 0;
            _end = 0;
        }
        else if (BufferBytes - _start < bytes)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        while (_end - _start < bytes)
        {
            int read = stream.Read(_buffer, _end, BufferBytes - _end);
            if (read == 0)
            {
                return false;
            }

            _end += read;
        }

        return true;
    }

    private PeerFrame? ReadFrame(Stream stream, int length)
    {
        PeerFrame frame = PeerFramePool.Rent(Math.Min(length, TrustedBytesMax));
        int buffered = Math.Min(length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(frame.Free);
        _start += buffered;
        frame.Length = buffered;
        while (frame.Length < length)
        {
            if (frame.Length == frame.Buffer.Length)
            {
                frame = Grow(frame, length);
            }

            int read = stream.Read(frame.Buffer, frame.Length, Math.Min(length, frame.Buffer.Length) - frame.Length);
            if (read == 0)
            {
                PeerFramePool.Return(frame);
                return null;
            }

            frame.Length += read;
        }

        return frame;
    }

    private static PeerFrame Grow(PeerFrame frame, int length)
    {
        PeerFrame larger = PeerFramePool.Rent((int)Math.Min(length, frame.Buffer.Length * 2L));
        frame.Written.Span.CopyTo(larger.Free);
        larger.Length = frame.Length;
        PeerFramePool.Return(frame);
        return larger;
    }

    private void Refuse(string reason)
    {
        _metrics.BadFrames.Increment();
        LogRefused(Remote, reason);
    }
}
