using System.Buffers.Binary;
using RaftMq.Broker.Groups;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Groups;

/// <summary>Reads the topics that Kafka consumers subscribe to out of what they join a group with (protocol type "consumer").</summary>
public sealed class SubscriptionReader : ISubscriptionReader
{
    private const string ConsumerProtocolType = "consumer";
    private const int VersionBytes = 2;

    /// <summary>Topics a member may plausibly name; the bytes come from outside.</summary>
    private const int ElementsMax = 100_000;

    public bool TryReadTopics(string protocolType, ReadOnlySpan<byte> metadata, ISet<string> topics)
    {
        if (!string.Equals(protocolType, ConsumerProtocolType, StringComparison.Ordinal) || metadata.Length < VersionBytes)
        {
            return false;
        }

        // A later version only adds fields at the end, so it is read as the latest one known, as consumers do among themselves.
        short version = BinaryPrimitives.ReadInt16BigEndian(metadata);
        if (version < 0)
        {
            return false;
        }

        var reader = new KafkaReader(metadata[VersionBytes..].ToArray(), names: null, ElementsMax);
        int readAs = Math.Min(version, ConsumerProtocolSubscription.Schema.VersionMax);
        if (!ConsumerProtocolSubscription.TryRead(ref reader, readAs, out ConsumerProtocolSubscription? subscription))
        {
            return false;
        }

        topics.UnionWith(subscription.Topics);
        return true;
    }
}
