using RaftMq.Kafka.Wire;

namespace RaftMq.Cli.Brokers;

/// <summary>What became of one try to send a batch, or of all of them.</summary>
/// <param name="Error">None: it is acknowledged. One that passes: it is sent again. Any other: it is refused.</param>
/// <param name="Why">Part of a sentence.</param>
internal sealed record SendAnswer(KafkaError Error, string Why)
{
    public static SendAnswer Acknowledged { get; } = new(KafkaError.None, "");

    public bool IsAcknowledged => Error == KafkaError.None;

    public bool IsRefused => !IsAcknowledged && !KafkaErrors.IsRetriable(Error);

    /// <summary>Of a batch that is not acknowledged: a try ended without word of whether it was stored.</summary>
    public bool MayBeStored { get; init; }

    /// <summary>What a leader answered. Only some of the answers that pass are given before anything was appended.</summary>
    public static SendAnswer Of(KafkaError error, string? message) =>
        error is KafkaError.None or KafkaError.DuplicateSequenceNumber ? Acknowledged
        : new SendAnswer(error, ErrorWords.Of(error, message))
        {
            MayBeStored = KafkaErrors.IsRetriable(error) && error is not (
                KafkaError.NotEnoughReplicas or KafkaError.UnknownTopicOrPartition or KafkaError.LeaderNotAvailable
                or KafkaError.CorruptMessage or KafkaError.ThrottlingQuotaExceeded),
        };
}
