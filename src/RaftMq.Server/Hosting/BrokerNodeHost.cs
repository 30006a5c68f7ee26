using RaftMq.Broker;
using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Server.Hosting;

/// <summary>The broker node as the process sees it.</summary>
internal sealed class BrokerNodeHost(BrokerNode broker) : INode
{
    public IBroker Broker => broker;

    public bool IsReady => broker.IsReady;

    public string? NotReadyBecause => broker.NotReadyBecause;

    public string? RefusedByCluster => broker.RefusedByCluster;

    public BootNumber Boot => broker.Boot;

    public bool IsDrained => broker.IsDrained;

    public void Start() => broker.Start();

    public void Tick() => broker.Tick();

    public void SeedFound(NodeId node) => broker.SeedFound(node);

    public bool WantsFineTicks => broker.WantsFineTicks;

    public Action FineTicksWanted
    {
        set => broker.FineTicksWanted = value;
    }

    public void FineTick() => broker.FineTick();

    public void BeginDrain() => broker.BeginDrain();

    public void CollectStatus(Action<NodeStatus> completion) => broker.CollectStatus(completion);

    public void Received(NodeId from, PeerFrame frame) => broker.ReceivePeerFrame(from, frame);

    public void ConnectionReset(NodeId node, bool refused) => broker.ConnectionReset(node, refused);
}
