using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Raft;
using RaftMq.Simulation.Network;

namespace RaftMq.Simulation.Faults;

/// <summary>
/// Waits for a node to say something of a kind, once: what a node has said to others and what its disk has kept of it part at that moment.
/// Frames are read only while it waits.
/// </summary>
internal sealed class MessageTrigger(SimulatedNetwork network)
{
    /// <summary>What is worth a crash, the rare ones as likely as the frequent ones.</summary>
    public static IReadOnlyList<Type> Kinds { get; } =
    [
        typeof(PreVoteRequest), typeof(PreVoteReply), typeof(VoteRequest), typeof(VoteReply), typeof(AppendEntries), typeof(AppendAccepted),
        typeof(AppendRejected), typeof(Heartbeat), typeof(HeartbeatReply), typeof(InstallSnapshot), typeof(SnapshotReply), typeof(TimeoutNow),
        typeof(Quiesce), typeof(Wake), typeof(PeerMessage.Request), typeof(PeerMessage.Response), typeof(PeerMessage.SnapshotWanted),
        typeof(PeerMessage.SnapshotChunk),
    ];

    private readonly List<PeerMessage> _messages = [];
    private (Type Kind, Action<NodeId, NodeId> Struck)? _armed;

    /// <summary>In place of what was waited for before.</summary>
    /// <param name="struck">Who says it, and to whom.</param>
    public void Arm(Type kind, Action<NodeId, NodeId> struck)
    {
        _armed = (kind, struck);
        network.Leaving = See;
    }

    public void Disarm()
    {
        _armed = null;
        network.Leaving = null;
    }

    private void See(NodeId from, NodeId to, PeerFrame frame)
    {
        _messages.Clear();
        if (_armed is not { } armed || !PeerCodec.TryRead(frame.Written, out _, _messages)
            || !_messages.Exists(message => (message is PeerMessage.ForGroup said ? said.Message.GetType() : message.GetType()) == armed.Kind))
        {
            return;
        }

        Disarm();
        armed.Struck(from, to);
    }
}
