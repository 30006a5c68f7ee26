namespace RaftMq.Cli.Bench;

/// <param name="Run">Tells the records of one run from those of others in the same topic.</param>
/// <param name="Number">From 0 per producer.</param>
/// <param name="SentTicks">When it was sent, or was to be sent, on this machine's monotonic clock.</param>
internal readonly record struct BenchRecord(uint Run, int Producer, int Partition, long Number, long SentTicks);
