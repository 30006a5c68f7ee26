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
        typeof(Quiesce), typeof(Wake),
    ];

    private readonly List<PeerMessage> _messages = [];
    private (Type Kind, Action<NodeId> Struck)? _armed;

    /// <summary>In place of what was waited for before.</summary>
    public void Arm(Type kind, Action<NodeId> struck)
    {
        _armed = (kind, struck);
        network.Leaving = See;
    }

    public void Disarm()
    {
        _armed = null;
        network.Leaving = null;
    }

    private void See(NodeId from, PeerFrame frame)
    {
        _messages.Clear();
        if (_armed is not { } armed || !PeerCodec.TryRead(frame.Written, out _, _messages)
            || !_messages.Exists(message => message is PeerMessage.ForGroup said && said.Message.GetType() == armed.Kind))
        {
            return;
        }

        Disarm();
        armed.Struck(from);
    }
}
