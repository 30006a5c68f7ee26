using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

/// <summary>Where frames from other nodes go. Called on the thread that received, which carries the work on; no hop.</summary>
internal interface IPeerReceiver
{
    /// <summary>Takes the frame over; it goes back with <see cref="IPeerTransport.Return"/>.</summary>
    void Received(NodeId from, PeerFrame frame);

    /// <summary>
    /// An established connection to or from the node broke (false, for each of the two); or dialling again was refused then (true): nothing
    /// listens there any more, so its process is gone (design section 3: survivors elect at once).
    /// </summary>
    void ConnectionReset(NodeId node, bool refused);
}
