using System.Collections.Immutable;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// Which nodes come and go: those that may join, those that are to leave, and the folders that left for ever. Part of the controller
/// group's replicated state.
/// </summary>
internal sealed class NodeRoster
{
    /// <summary>Nodes that may be expected at a time.</summary>
    public const int ExpectedMax = 16;

    /// <summary>
    /// Folders of removed nodes that are remembered, so that they are told what happened. One that is forgotten is a stranger and stays out too:
    /// no node of its number is expected, or that number has another folder.
    /// </summary>
    public const int RemovedMax = 1000;

    /// <summary>Nodes that may join, and until when (Unix time in milliseconds).</summary>
    public ImmutableSortedDictionary<NodeId, long> Expected { get; private set; } = ImmutableSortedDictionary<NodeId, long>.Empty;

    /// <summary>Of registered nodes; one that is not here serves.</summary>
    public ImmutableSortedDictionary<NodeId, NodeDuty> Duties { get; private set; } = ImmutableSortedDictionary<NodeId, NodeDuty>.Empty;

    /// <summary>Nodes that were removed, each with the folder it had; oldest first.</summary>
    public ImmutableArray<ReplicaId> Removed { get; private set; } = [];

    public NodeDuty DutyOf(NodeId node) => Duties.GetValueOrDefault(node);

    public bool IsExpected(NodeId node, long unixMs) => Expected.TryGetValue(node, out long untilMs) && unixMs < untilMs;

    public void Expect(ClusterCommand.NodeExpected expected)
    {
        // What is over goes when something is written anyway.
        foreach ((NodeId node, long untilMs) in Expected)
        {
            if (untilMs <= expected.NowMs)
            {
                Expected = Expected.Remove(node);
            }
        }

        if (expected.UntilMs > expected.NowMs)
        {
            Expected = Expected.SetItem(expected.Node, expected.UntilMs);
        }
        else
        {
            Expected = Expected.Remove(expected.Node);
        }
    }

    public void Registered(NodeId node) => Expected = Expected.Remove(node);

    public void SetDuty(NodeId node, NodeDuty duty) =>
        Duties = duty == NodeDuty.Serving ? Duties.Remove(node) : Duties.SetItem(node, duty);

    public void Remove(ReplicaId replica)
    {
        Duties = Duties.Remove(replica.Node);
        Expected = Expected.Remove(replica.Node);
        Removed = Removed.Length < RemovedMax ? Removed.Add(replica) : Removed.RemoveAt(0).Add(replica);
    }

    public void Write(ByteWriter writer)
    {
        writer.Int32(Expected.Count);
        foreach ((NodeId node, long untilMs) in Expected)
        {
            writer.Node(node);
            writer.Int64(untilMs);
        }

        writer.Int32(Duties.Count);
        foreach ((NodeId node, NodeDuty duty) in Duties)
        {
            writer.Node(node);
            writer.Byte((byte)duty);
        }

        ClusterCodec.WriteReplicas(writer, Removed);
    }

    /// <summary>What the bytes say; the reader fails when they say nothing sensible. The roster changes with <see cref="Take"/>.</summary>
    public static NodeRoster Read(ref ByteReader reader)
    {
        ImmutableSortedDictionary<NodeId, long>.Builder expected = ImmutableSortedDictionary.CreateBuilder<NodeId, long>();
        for (int count = reader.Count(bytesEachMin: 12); count > 0; count--)
        {
            if (!expected.TryAdd(reader.Node(), reader.Int64()))
            {
                reader.Fail();
            }
        }

        ImmutableSortedDictionary<NodeId, NodeDuty>.Builder duties = ImmutableSortedDictionary.CreateBuilder<NodeId, NodeDuty>();
        for (int count = reader.Count(bytesEachMin: 5); count > 0; count--)
        {
            NodeId node = reader.Node();
            NodeDuty duty = ReadDuty(ref reader);
            if (duty == NodeDuty.Serving || !duties.TryAdd(node, duty))
            {
                reader.Fail();
            }
        }

        return new NodeRoster
        {
            Expected = expected.ToImmutable(),
            Duties = duties.ToImmutable(),
            Removed = ClusterCodec.ReadReplicas(ref reader),
        };
    }

    public static NodeDuty ReadDuty(ref ByteReader reader)
    {
        var duty = (NodeDuty)reader.Byte();
        if (!Enum.IsDefined(duty))
        {
            reader.Fail();
        }

        return duty;
    }

    public void Take(NodeRoster other) => (Expected, Duties, Removed) = (other.Expected, other.Duties, other.Removed);
}
