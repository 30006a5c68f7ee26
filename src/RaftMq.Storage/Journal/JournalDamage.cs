using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>
/// What of a group was durable in the journal and is lost, as it is recorded until the group is healed (design 4, "Damage and healing").
/// </summary>
/// <param name="Held">The end of the log as it had been durable; null where nobody knows.</param>
/// <param name="HardStateLost">Term and vote may have been newer than what is known.</param>
/// <param name="StateLost">
/// Not even how far segments are durable is known: the group can't be started from what lies here, and nothing of it may be deleted.
/// </param>
/// <param name="KeptBelowFile">Journal files below this number, as far as they exist, are what is left of it: they are not used again.</param>
public readonly record struct JournalDamage(LogPosition? Held, bool HardStateLost, bool StateLost, long KeptBelowFile)
{
    public ReplicaDamage ForRaft => new(Held, HardStateLost);

    internal static JournalDamage Of(LogPosition? held, bool hardStateLost, long keptBelowFile) =>
        new(held, hardStateLost, StateLost: false, keptBelowFile);

    /// <summary>Both: what was held is the most that either knows of, and nobody knows where one of them does not.</summary>
    internal JournalDamage With(JournalDamage? earlier) =>
        earlier is not { } other ? this : new(
            Held is { } held && other.Held is { } before ? (held.IsAtLeast(before) ? held : before) : null,
            HardStateLost || other.HardStateLost,
            StateLost || other.StateLost,
            Math.Max(KeptBelowFile, other.KeptBelowFile));
}
