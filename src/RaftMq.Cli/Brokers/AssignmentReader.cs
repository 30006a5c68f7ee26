using System.Buffers.Binary;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Brokers;

/// <summary>Which partitions a member of a group of Kafka consumers was given.</summary>
internal static class AssignmentReader
{
    private const string ConsumerProtocolType = "consumer";
    private const int VersionBytes = 2;

    /// <summary>Empty for other kinds of groups, for members without partitions, and for what can't be read.</summary>
    public static IReadOnlyList<(string Topic, int Partition)> Read(string protocolType, ReadOnlySpan<byte> assignment)
    {
        if (protocolType != ConsumerProtocolType || assignment.Length < VersionBytes)
        {
            return [];
        }

        // A later version only adds fields at the end.
        short version = BinaryPrimitives.ReadInt16BigEndian(assignment);
        var reader = new KafkaReader(assignment[VersionBytes..].ToArray());
        return version >= 0 && ConsumerProtocolAssignment.TryRead(
            ref reader, Math.Min((int)version, ConsumerProtocolAssignment.Schema.VersionMax), out ConsumerProtocolAssignment? read)
            ? [.. read.Assigned.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition)))]
            : [];
    }
}
