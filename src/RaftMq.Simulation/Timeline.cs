using RaftMq.Simulation.Faults;
using RaftMq.Simulation.Workloads;

namespace RaftMq.Simulation;

/// <summary>
/// When what begins in a run, in virtual time from its start: clients; faults; where one node stays unwell for long, the end of all other faults; the end of
/// all; then what is owed afterwards, part of it calm, until members of groups leave, clients end, and everything is read.
/// </summary>
internal sealed record Timeline
{
    public const long ClientsStartUs = 100_000;

    /// <summary>Until then the topics come into being.</summary>
    public const long FaultsStartUs = 1_500_000;

    /// <summary>
    /// At the end a leadership may have just gone back to where it belongs, which is an entry: replicas have so much longer to become equal, looked at
    /// each second. And a run in which one node stayed unwell is longer, with more to read.
    /// </summary>
    public const long SettlingUs = 5_000_000;

    /// <summary>The shortest run: quiet start, some faults, the 30 s that are owed afterwards.</summary>
    private const long DurationUsMin = 50_000_000;

    /// <summary>Everything below is as long as it is; what is left is the time of faults.</summary>
    private const long AfterHealUs = 31_000_000;

    /// <summary>So long after the healing each group has had its leader for some time.</summary>
    private const long CalmAfterUs = 6_000_000;

    /// <summary>
    /// Before the end members of consumer groups leave. Whom the coordinator took in without being able to tell them is given up after a session of 6 s, the
    /// others are waited for 2 s more, and both begin anew where the coordinator changes: all of it is written before replicas are compared.
    /// </summary>
    private const long MembersLeaveBeforeEndUs = 20_000_000;

    /// <summary>Before the end: what is under way comes to its end, then everything is read.</summary>
    private const long ClientsEndBeforeEndUs = 12_000_000;
    private const long ReadingBeforeEndUs = 7_000_000;

    /// <summary>With the time until the end, enough for a replica to leave its group and to come back.</summary>
    private const long MadeAnewUs = 2_000_000;

    /// <summary>A group of which all members died or stood still at the end of the faults has so much longer until its members leave.</summary>
    private const long LongerWithMembersUs = 10_000_000;

    public required long EndUs { get; init; }

    /// <summary>All faults are over but those of one node; null: none stays unwell.</summary>
    public required long? HealedButForOneUs { get; init; }

    public required long HealedUs { get; init; }

    /// <summary>Replicas that differ are found out between this and <see cref="CalmToUs"/>, while clients still write.</summary>
    public long CalmFromUs => EndUs - AfterHealUs + CalmAfterUs;

    public long CalmToUs => ClientsEndUs - MadeAnewUs;

    public long MembersLeaveUs => EndUs - MembersLeaveBeforeEndUs;

    public long ClientsEndUs => EndUs - ClientsEndBeforeEndUs;

    public long ReadingUs => EndUs - ReadingBeforeEndUs;

    /// <param name="asked">For the run, without what a load or fault needs beyond that.</param>
    public static Timeline Of(TimeSpan asked, WorkloadProfile load, FaultProfile faults)
    {
        long withMembersUs = load.Members > 0 ? LongerWithMembersUs : 0;
        long endUs = Math.Max(DurationUsMin, (long)asked.TotalMicroseconds) + withMembersUs + (faults.OneLasts ? LastingFault.LengthUs : 0);
        long healedUs = endUs - AfterHealUs - withMembersUs;
        return new Timeline { EndUs = endUs, HealedUs = healedUs, HealedButForOneUs = faults.OneLasts ? healedUs - LastingFault.LengthUs : null };
    }
}
