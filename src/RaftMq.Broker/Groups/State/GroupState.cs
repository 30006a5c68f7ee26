namespace RaftMq.Broker.Groups;

/// <summary>What is replicated about one group.</summary>
public sealed class GroupState
{
    /// <summary>Null for a group that only ever stored offsets.</summary>
    public GroupRecord? Record { get; internal set; }

    public SortedDictionary<OffsetKey, CommittedOffset> Offsets { get; } = [];

    /// <summary>The hash of <see cref="Record"/> as it entered the state's hash; zero without one.</summary>
    internal ulong RecordHash { get; set; }
}
