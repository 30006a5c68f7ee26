namespace RaftMq.Broker.Groups;

/// <summary>Which of a group's offsets have outlived their retention.</summary>
internal static class OffsetRetention
{
    /// <summary>Offsets forgotten by one entry: it stays far below what a Raft group takes. The rest goes the next time.</summary>
    private const int OffsetsPerEntryMax = 10_000;

    /// <summary>
    /// In a group without members an offset's time begins when it was committed or, if that is later, when the last member left. In a group
    /// with members only offsets of topics that nobody subscribes to have a time at all (KIP-211). A group without members whose last
    /// offset goes is deleted whole.
    /// </summary>
    /// <param name="inUse">The topics that the group's members subscribe to.</param>
    /// <returns>The entry to propose, or null.</returns>
    public static GroupEntry? Decide(
        ConsumerGroupId id, GroupState state, SortedSet<string> inUse, long nowMs, long retentionMs)
    {
        bool hasMembers = state.Record is { Members.Length: > 0 };
        long emptySinceMs = state.Record is { } record && !hasMembers ? record.ChangedAtMs : long.MinValue;
        List<OffsetKey> expired = [];
        foreach ((OffsetKey key, CommittedOffset offset) in state.Offsets)
        {
            if (expired.Count < OffsetsPerEntryMax
                && !inUse.Contains(key.Topic)
                && nowMs - Math.Max(offset.CommittedAtMs, emptySinceMs) >= retentionMs)
            {
                expired.Add(key);
            }
        }

        bool outlived = emptySinceMs == long.MinValue || nowMs - emptySinceMs >= retentionMs;
        if (!hasMembers && outlived && expired.Count == state.Offsets.Count)
        {
            return new GroupEntry.GroupDeleted(id);
        }

        return expired.Count > 0 ? new GroupEntry.OffsetsDeleted(id, [.. expired]) : null;
    }
}
