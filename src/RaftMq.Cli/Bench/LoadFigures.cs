namespace RaftMq.Cli.Bench;

/// <param name="Took">The time that counts.</param>
/// <param name="AckedInTime">Acknowledged in it.</param>
/// <param name="DeliveredInTime">Delivered to the consumer in it.</param>
/// <param name="Gap">Longest time without an ack in it.</param>
/// <param name="Acknowledged">Acknowledged in the whole run.</param>
internal sealed record LoadFigures(TimeSpan Took, long AckedInTime, long DeliveredInTime, TimeSpan Gap, long Acknowledged);
