using RaftMq.Broker;
using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.World;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Tests.World;

/// <summary>A node that does nothing but remember what it was told.</summary>
internal sealed class MuteBroker(INodeEnvironment environment) : IBrokerHost
{
    public INodeEnvironment Environment => environment;

    public List<(NodeId From, byte[] Bytes)> Frames { get; } = [];

    public List<(NodeId Node, bool Refused)> Resets { get; } = [];

    public int Ticks { get; private set; }

    public IBroker Broker => throw new NotSupportedException();

    /// <summary>Counts its starts in a file, as the product does.</summary>
    public void Start()
    {
        using IDiskFile file = environment.Disk.Open("boot", environment.Disk.FileExists("boot") ? DiskFileMode.Existing : DiskFileMode.CreateNew);
        file.Write(file.Length, [1]);
    }

    public void Tick() => Ticks++;

    public void ReceivePeerFrame(NodeId from, PeerFrame frame)
    {
        Frames.Add((from, frame.Written.ToArray()));
        environment.Peers.Return(frame);
    }

    public void ConnectionReset(NodeId from, bool refused) => Resets.Add((from, refused));

    public void Inspect(IReplicaVisitor visitor)
    {
    }
}
