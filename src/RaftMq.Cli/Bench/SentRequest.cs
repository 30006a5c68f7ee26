using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Bench;

internal sealed record SentRequest(ProduceRequest Message, int Correlation, IReadOnlyList<BatchInFlight> Batches, long SentTicks);
