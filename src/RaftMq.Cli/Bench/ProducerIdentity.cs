namespace RaftMq.Cli.Bench;

/// <summary>What the cluster gave an idempotent producer.</summary>
internal readonly record struct ProducerIdentity(long Id, short Epoch);
