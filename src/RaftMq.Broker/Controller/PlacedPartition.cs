using System.Collections.Immutable;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>A partition and the set that is wanted from now on; another order of the same set is only another preferred leader.</summary>
internal readonly record struct PlacedPartition(UInt128 TopicId, int Partition, ImmutableArray<ReplicaId> Replicas)
{
    public void Write(ByteWriter writer)
    {
        writer.UInt128(TopicId);
        writer.Int32(Partition);
        ClusterCodec.WriteReplicas(writer, Replicas);
    }

    public static ImmutableArray<PlacedPartition> ReadMany(ref ByteReader reader)
    {
        int count = reader.Count(bytesEachMin: 24);
        ImmutableArray<PlacedPartition>.Builder placed = ImmutableArray.CreateBuilder<PlacedPartition>(count);
        for (int i = 0; i < count; i++)
        {
            placed.Add(new PlacedPartition(reader.UInt128(), reader.Int32(), ClusterCodec.ReadReplicas(ref reader)));
        }

        return placed.ToImmutable();
    }
}
