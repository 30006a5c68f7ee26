namespace RaftMq.Cli.Brokers;

/// <summary>What must be known before the first record is sent.</summary>
/// <param name="Partitions">How many there are.</param>
/// <param name="ProducerId">Of this producer, given by the cluster.</param>
/// <param name="ProducerEpoch">With it.</param>
/// <param name="BatchBytesMax">What the topic says that its largest batch is; null: it was not to be learnt, so the leader decides.</param>
internal sealed record WritableTopic(int Partitions, long ProducerId, short ProducerEpoch, int? BatchBytesMax);
