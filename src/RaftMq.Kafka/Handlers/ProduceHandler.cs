using RaftMq.Broker.Controller;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Producing;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// Produce. Every batch is judged before the first one is handed on; a bad one costs its own partition an error and nothing else.
/// acks=1 is served as acks=-1: there is no weaker kind of acknowledgement here.
/// </summary>
internal sealed class ProduceHandler(KafkaNode node) : RequestHandler
{
    /// <summary>Below, requests carry message sets of the time before record batches.</summary>
    private const short FirstVersionWithBatches = 3;

    public override ApiKey Key => ApiKey.Produce;

    public override ValueTask HandleAsync(KafkaRequest request, CancellationToken cancellation)
    {
        if (!request.TryRead(out ProduceRequest? message))
        {
            return ValueTask.CompletedTask;
        }

        ProduceOperation operation = request.Session.Produces.Take();
        var response = new ProduceResponse { Topics = new ProduceResponse.Topic[message.Topics.Length] };
        operation.Begin(
            request,
            response,
            acksNone: message.Acks == 0,
            Math.Clamp(message.TimeoutMs, node.Limits.ProduceTimeoutMsMin, node.Limits.ProduceTimeoutMsMax));
        ClusterImage cluster = node.Broker.Cluster;
        for (int t = 0; t < message.Topics.Length; t++)
        {
            response.Topics[t] = Take(message.Topics[t], message, request.Version, cluster, operation);
        }

        return operation.HandOnAsync();
    }

    private ProduceResponse.Topic Take(
        ProduceRequest.Topic topic, ProduceRequest message, short version, ClusterImage cluster, ProduceOperation operation)
    {
        cluster.Topics.TryGetValue(topic.Name, out TopicInfo? info);
        var answers = new ProduceResponse.Partition[topic.Partitions.Length];
        for (int p = 0; p < answers.Length; p++)
        {
            ProduceRequest.Partition partition = topic.Partitions[p];
            var answer = new ProduceResponse.Partition { Index = partition.Index, BaseOffset = -1 };
            answers[p] = answer;
            if (Judge(message, version, info, partition, answer))
            {
                operation.Add(info!.Partitions[partition.Index].Group, partition.Records.Memory, answer);
            }
            else
            {
                node.Observer.BatchRefused(topic.Name, partition.Index, answer.ErrorMessage ?? KafkaErrors.Name(answer.Error));
            }
        }

        return new ProduceResponse.Topic { Name = topic.Name, Partitions = answers };
    }

    private static bool Judge(
        ProduceRequest message,
        short version,
        TopicInfo? topic,
        ProduceRequest.Partition partition,
        ProduceResponse.Partition answer)
    {
        if (message.Acks is < -1 or > 1)
        {
            return Refuse(answer, KafkaError.InvalidRequiredAcks, $"acks is {message.Acks}; it may be -1 (all), 1 or 0");
        }

        if (message.TransactionalId is not null)
        {
            return Refuse(answer, KafkaError.TransactionalIdAuthorizationFailed, Transactions.NotServed);
        }

        if (version < FirstVersionWithBatches)
        {
            return Refuse(
                answer,
                KafkaError.UnsupportedForMessageFormat,
                "produce requests below version 3 carry a record format that is not stored here; use a client of Kafka 0.11 or later");
        }

        if (topic is null || (uint)partition.Index >= (uint)topic.Partitions.Length)
        {
            return Refuse(answer, KafkaError.UnknownTopicOrPartition, message: null);
        }

        return topic.Internal
            ? Refuse(answer, KafkaError.InvalidTopic, InternalTopics.Reserved)
            : JudgeBatch(partition.Records.Memory, answer);
    }

    private static bool JudgeBatch(ReadOnlyMemory<byte> bytes, ProduceResponse.Partition answer)
    {
        if (bytes.IsEmpty)
        {
            return Refuse(answer, KafkaError.InvalidRecord, "the request holds no record batch for this partition");
        }

        RecordBatchVerdict verdict = RecordBatchValidator.Validate(bytes.Span);
        if (verdict is not RecordBatchVerdict.Valid { Header: var header })
        {
            KafkaError error = ErrorMap.Of(verdict, out string? reason);
            if (verdict is RecordBatchVerdict.Invalid { RecordIndex: { } index })
            {
                answer.RecordErrors = [new ProduceResponse.RecordError { BatchIndex = index, ErrorMessage = reason }];
            }

            return Refuse(answer, error, reason);
        }

        if (header.SizeBytes != bytes.Length)
        {
            return Refuse(answer, KafkaError.InvalidRecord, "a produce request carries exactly one record batch per partition");
        }

        return !header.IsTransactional
            || Refuse(answer, KafkaError.TransactionalIdAuthorizationFailed, Transactions.NotServed);
    }

    private static bool Refuse(ProduceResponse.Partition answer, KafkaError error, string? message)
    {
        answer.Error = error;
        answer.ErrorMessage = message;
        return false;
    }
}
