using RaftMq.Broker;
using RaftMq.Raft;
using RaftMq.Server.Peers;

namespace RaftMq.Server.Hosting;

/// <summary>What the process needs of the node it carries; the broker node behind it, a double in tests.</summary>
internal interface INode : IPeerReceiver
{
    IBroker Broker { get; }

    /// <summary>Clients may come.</summary>
    bool IsReady { get; }

    /// <summary>A clause for people; null when <see cref="IsReady"/>.</summary>
    string? NotReadyBecause { get; }

    /// <summary>Not null when the cluster does not take this node: it must stop.</summary>
    string? RefusedByCluster { get; }

    /// <summary>A node was found at one of the seeds' addresses.</summary>
    void SeedFound(NodeId node);

    bool IsDrained { get; }

    /// <summary>Of this start; known after <see cref="Start"/>.</summary>
    BootNumber Boot { get; }

    /// <summary>Recovers the data folder.</summary>
    void Start();

    /// <summary>Called about every 10 ms.</summary>
    void Tick();

    /// <summary>While true, <see cref="FineTick"/> is called about every 2 ms.</summary>
    bool WantsFineTicks { get; }

    /// <summary>Called from any thread when <see cref="WantsFineTicks"/> becomes true; must return at once. Set after <see cref="Start"/>.</summary>
    Action FineTicksWanted { set; }

    void FineTick();

    /// <summary>Hands leadership over and writes checkpoints; then <see cref="IsDrained"/>.</summary>
    void BeginDrain();

    /// <summary>The answer comes inside a section.</summary>
    void CollectStatus(Action<NodeStatus> completion);
}
