using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Fetching;

/// <summary>Puts the parts of a fetch, which are in the order of its request, into the form of its answer.</summary>
internal sealed class FetchAnswer(KafkaRequest request, FetchRequest message) : IFetchAnswer
{
    public void Complete(ReadOnlySpan<FetchPart> parts)
    {
        var topics = new FetchResponse.Topic[message.Topics.Length];
        int next = 0;
        for (int t = 0; t < topics.Length; t++)
        {
            FetchRequest.Topic asked = message.Topics[t];
            var partitions = new FetchResponse.Partition[asked.Partitions.Length];
            for (int p = 0; p < partitions.Length; p++)
            {
                FetchPart part = parts[next++];
                partitions[p] = new FetchResponse.Partition
                {
                    Index = part.Partition,
                    Error = part.Error,
                    HighWatermark = part.HighWatermark,

                    // Without transactions everything below the high watermark is stable.
                    LastStableOffset = part.HighWatermark,
                    LogStartOffset = part.LogStartOffset,
                    AbortedTransactions = null,
                    PreferredReadReplica = -1,
                    Records = part.Records(),
                };
            }

            topics[t] = new FetchResponse.Topic { Name = asked.Name, Partitions = partitions };
        }

        request.Answer(new FetchResponse { SessionId = 0, Topics = topics });
    }

    public void Abandon() => request.Close("the connection is gone");
}
