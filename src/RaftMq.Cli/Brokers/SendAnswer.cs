using RaftMq.Kafka.Wire;

namespace RaftMq.Cli.Brokers;

/// <summary>What became of one try to send a batch.</summary>
/// <param name="Error">None: it is acknowledged. One that passes: it is sent again. Any other: it is refused.</param>
/// <param name="Why">Part of a sentence.</param>
internal sealed record SendAnswer(KafkaError Error, string Why)
{
    public static SendAnswer Acknowledged { get; } = new(KafkaError.None, "");

    public bool IsAcknowledged => Error == KafkaError.None;

    public bool IsRefused => !IsAcknowledged && !KafkaErrors.IsRetriable(Error);
}
