using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Server.Peers;
using RaftMq.Server.Security;
using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Tests.Peers;

/// <summary>A transport on a free port of the loopback, with what it received.</summary>
internal sealed class PeerNode : IPeerReceiver, IAsyncDisposable
{
    public PeerNode(int id, PeerTls? tls = null, Func<PeerOptions, PeerOptions>? change = null, int? boot = null)
    {
        Id = new NodeId(id);
        var options = new PeerOptions { Self = Id, Listen = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = tls };
        Metrics = new PeerMetrics(Registry);
        Transport = new PeerTransport(change?.Invoke(options) ?? options, Metrics, Log, (_, cause) => Fatal.Enqueue(cause));
        Transport.Bind();
        Transport.Start(this, new BootNumber(boot ?? 1));
    }

    public NodeId Id { get; }

    public ListLogger Log { get; } = new();

    public MetricRegistry Registry { get; } = new();

    public PeerMetrics Metrics { get; }

    public PeerTransport Transport { get; }

    public ConcurrentQueue<Exception> Fatal { get; } = new();

    public ConcurrentQueue<(NodeId From, byte[] Bytes)> Frames { get; } = new();

    public ConcurrentQueue<(NodeId Node, bool Refused, long At)> Resets { get; } = new();

    /// <summary>Called for each frame on the receiving thread, in place of keeping it.</summary>
    public Action<NodeId, PeerFrame>? OnFrame { get; set; }

    public int Port => Transport.Addresses[0].Port;

    public void Knows(PeerNode other) => Transport.Learn(other.Id, "127.0.0.1", other.Port, PeerAddressSource.Configured);

    public async Task ConnectedToAsync(PeerNode other)
    {
        Knows(other);
        await Eventually.HoldsAsync(() => Transport.IsConnected(other.Id), () => "not connected");
    }

    public void Send(PeerNode to, PeerLane lane, ReadOnlySpan<byte> bytes)
    {
        PeerFrame frame = Transport.Rent(bytes.Length);
        bytes.CopyTo(frame.Free);
        frame.Length = bytes.Length;
        Transport.Send(to.Id, lane, frame);
    }

    public void Received(NodeId from, PeerFrame frame)
    {
        if (OnFrame is { } handle)
        {
            handle(from, frame);
        }
        else
        {
            Frames.Enqueue((from, frame.Written.ToArray()));
        }

        Transport.Return(frame);
    }

    public void ConnectionReset(NodeId node, bool refused) => Resets.Enqueue((node, refused, Stopwatch.GetTimestamp()));

    public ValueTask DisposeAsync() => Transport.DisposeAsync();
}
