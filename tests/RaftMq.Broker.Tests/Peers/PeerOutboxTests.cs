using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Peers;

/// <summary>BOUNDED: what waits for a peer that does not read is bounded, and control messages still get their turn.</summary>
public sealed class PeerOutboxTests
{
    private const long QueueBytesMax = 1000;

    private static readonly NodeId Slow = new(1);
    private static readonly NodeId Other = new(3);

    private readonly SentMessages _sent = new();
    private readonly PeerOutbox _outbox;

    public PeerOutboxTests() => _outbox = new PeerOutbox(PeerSamples.Sender, _sent, QueueBytesMax);

    [Theory]
    [InlineData("append")]
    [InlineData("snapshot-chunk")]
    public void Above_the_limit_what_is_large_is_dropped_for_that_node_only(string name)
    {
        PeerMessage large = PeerSamples.All.Single(sample => sample.Name == name).Message;
        _sent.Queued[Slow] = QueueBytesMax + 1;

        _outbox.Add(Slow, large);
        _outbox.Add(Other, large);
        _outbox.Flush();
        Assert.Equal([Other], _sent.Take().Select(sent => sent.To));

        _sent.Queued[Slow] = QueueBytesMax;
        _outbox.Add(Slow, large);
        _outbox.Flush();
        Assert.Equal([Slow], _sent.Take().Select(sent => sent.To));
    }

    /// <summary>Small, and what a node that is behind must hear to stay a follower: the transport's own limit bounds them.</summary>
    [Fact]
    public void Above_the_limit_control_messages_are_sent()
    {
        _sent.Queued[Slow] = long.MaxValue;
        string[] large = ["append", "snapshot-chunk", "snapshot-gone", "repair-entries", "repair-behind"];
        PeerMessage[] control = [.. PeerSamples.All.Where(sample => !large.Contains(sample.Name)).Select(sample => sample.Message)];

        foreach (PeerMessage message in control)
        {
            _outbox.Add(Slow, message);
        }

        _outbox.Flush();
        Assert.Equal(control.Length, _sent.Take().Length);
    }
}
