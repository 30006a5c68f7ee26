using System.Collections.Immutable;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>The binary form of topics, shared by commands and snapshots.</summary>
internal static class ClusterCodec
{
    public static void WriteTopic(ByteWriter writer, TopicInfo topic)
    {
        writer.Text(topic.Name);
        writer.UInt128(topic.Id);
        writer.Bool(topic.Internal);
        WritePartitions(writer, topic.Partitions);
        WriteConfigs(writer, topic.Configs);
    }

    public static TopicInfo ReadTopic(ref ByteReader reader) => new(
        reader.Text(), reader.UInt128(), reader.Bool(), ReadPartitions(ref reader), ReadConfigs(ref reader));

    public static void WritePartitions(ByteWriter writer, ImmutableArray<PartitionInfo> partitions)
    {
        writer.Int32(partitions.Length);
        foreach (PartitionInfo partition in partitions)
        {
            writer.Int32(partition.Number);
            writer.UInt128(partition.Group.Value);
            WriteReplicas(writer, partition.Replicas);
            WriteReplicas(writer, partition.Leaving);
            WriteReplicas(writer, partition.Before);
            WriteReplicas(writer, partition.Founding);
            WriteReplicas(writer, partition.Founders);
            WriteReplicas(writer, partition.Returning);
            writer.Int32(partition.Epoch);
            writer.Int64(partition.SettledAt.Value);
        }
    }

    public static ImmutableArray<PartitionInfo> ReadPartitions(ref ByteReader reader)
    {
        int count = reader.Count(bytesEachMin: 56);
        ImmutableArray<PartitionInfo>.Builder partitions = ImmutableArray.CreateBuilder<PartitionInfo>(count);
        for (int i = 0; i < count; i++)
        {
            partitions.Add(new PartitionInfo(reader.Int32(), new GroupId(reader.UInt128()), ReadReplicas(ref reader))
            {
                Leaving = ReadReplicas(ref reader),
                Before = ReadReplicas(ref reader),
                Founding = ReadReplicas(ref reader),
                Founders = ReadReplicas(ref reader),
                Returning = ReadReplicas(ref reader),
                Epoch = reader.Int32(),
                SettledAt = new LogIndex(reader.Int64()),
            });
        }

        return partitions.ToImmutable();
    }

    /// <summary>
    /// <see cref="PartitionInfo.SettledTerm"/> of each partition, in their order. It stands beside the topics: what a command makes has none yet, and
    /// the first two versions of the snapshot did not have it.
    /// </summary>
    public static void WriteSettledTerms(ByteWriter writer, TopicInfo topic)
    {
        foreach (PartitionInfo partition in topic.Partitions)
        {
            writer.Int32(partition.SettledTerm.Value);
        }
    }

    public static TopicInfo WithSettledTerms(ref ByteReader reader, TopicInfo topic)
    {
        ImmutableArray<PartitionInfo>.Builder partitions = topic.Partitions.ToBuilder();
        for (int i = 0; i < partitions.Count; i++)
        {
            partitions[i] = partitions[i] with { SettledTerm = ReadTerm(ref reader, min: 0) };
        }

        return topic with { Partitions = partitions.ToImmutable() };
    }

    /// <summary>Of a request or command that names one.</summary>
    public static Term ReadTerm(ref ByteReader reader) => ReadTerm(ref reader, min: 1);

    private static Term ReadTerm(ref ByteReader reader, int min)
    {
        int term = reader.Int32();
        if (term < min)
        {
            reader.Fail();
        }

        return new Term(term);
    }

    public static void WriteReplicas(ByteWriter writer, ImmutableArray<ReplicaId> replicas)
    {
        writer.Int32(replicas.Length);
        foreach (ReplicaId replica in replicas)
        {
            writer.Replica(replica);
        }
    }

    public static ImmutableArray<ReplicaId> ReadReplicas(ref ByteReader reader)
    {
        int count = reader.Count(bytesEachMin: 20);
        ImmutableArray<ReplicaId>.Builder replicas = ImmutableArray.CreateBuilder<ReplicaId>(count);
        for (int r = 0; r < count; r++)
        {
            replicas.Add(reader.Replica());
        }

        return replicas.ToImmutable();
    }

    public static void WriteConfigs(ByteWriter writer, ImmutableSortedDictionary<string, string> configs)
    {
        writer.Int32(configs.Count);
        foreach ((string name, string value) in configs)
        {
            writer.Text(name);
            writer.Text(value);
        }
    }

    public static ImmutableSortedDictionary<string, string> ReadConfigs(ref ByteReader reader)
    {
        ImmutableSortedDictionary<string, string>.Builder configs =
            ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        int count = reader.Count(bytesEachMin: 8);
        for (int i = 0; i < count; i++)
        {
            string name = reader.Text();
            string value = reader.Text();
            if (!configs.TryAdd(name, value))
            {
                reader.Fail();
            }
        }

        return configs.ToImmutable();
    }
}
