namespace RaftMq.Cli.Bench;

/// <summary>Records that were offered together.</summary>
/// <param name="FirstTicks">When the first was offered, or was meant to be.</param>
/// <param name="StepTicks">From each to the next; 0 when all came at once.</param>
internal readonly record struct OfferedRun(int Count, long FirstTicks, double StepTicks)
{
    public long TicksOf(int index) => FirstTicks + (long)(index * StepTicks);

    public OfferedRun Skip(int records) => new(Count - records, TicksOf(records), StepTicks);
}
