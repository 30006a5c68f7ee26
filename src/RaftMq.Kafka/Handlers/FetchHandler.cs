using RaftMq.Broker.Controller;
using RaftMq.Kafka.Fetching;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// Fetch. Sessions (KIP-227) are declined the way the protocol has for it: whoever asks for one is answered in full with session id 0, and
/// whoever speaks of one gets FETCH_SESSION_ID_NOT_FOUND and starts over. Both isolation levels read to the high watermark, as there are
/// no transactions.
/// </summary>
internal sealed class FetchHandler(KafkaNode node) : RequestHandler
{
    /// <summary>Session epochs that ask for everything: a first fetch of a session, and a fetch without one.</summary>
    private const int InitialEpoch = 0;
    private const int FinalEpoch = -1;

    public override ApiKey Key => ApiKey.Fetch;

    public override ValueTask HandleAsync(KafkaRequest request, CancellationToken cancellation)
    {
        if (!request.TryRead(out FetchRequest? message))
        {
            return ValueTask.CompletedTask;
        }

        if (message.SessionEpoch is not (InitialEpoch or FinalEpoch))
        {
            request.Answer(new FetchResponse { Error = KafkaError.FetchSessionIdNotFound });
            return ValueTask.CompletedTask;
        }

        FetchOperation fetch = request.Session.Fetch;
        ClusterImage cluster = node.Broker.Cluster;
        foreach (FetchRequest.Topic topic in message.Topics)
        {
            cluster.Topics.TryGetValue(topic.Name, out TopicInfo? info);
            foreach (FetchRequest.Partition partition in topic.Partitions)
            {
                bool known = info is not null && (uint)partition.Index < (uint)info.Partitions.Length;
                FetchPart part = fetch.AddPart();
                part.Begin(
                    partition.Index,
                    partition.FetchOffset,
                    partition.PartitionMaxBytes,
                    partition.CurrentLeaderEpoch,
                    known && !info!.Internal ? info.Partitions[partition.Index] : null,
                    known ? KafkaError.InvalidTopic : KafkaError.UnknownTopicOrPartition);
            }
        }

        return fetch.RunAsync(
            new FetchAnswer(request, message),
            Math.Clamp(message.MaxBytes, 0, node.Limits.FetchBytesMax),
            message.MinBytes,
            message.Topics.Length == 0 ? 0 : Math.Clamp(message.MaxWaitMs, 0, node.Limits.FetchWaitMsMax),
            cancellation);
    }
}
