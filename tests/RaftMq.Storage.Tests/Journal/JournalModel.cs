using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>All groups, as the naive oracle has them or as a replay told them.</summary>
internal sealed class JournalModel : IJournalReplay
{
    public SortedDictionary<GroupId, GroupModel> Groups { get; } = [];

    public SortedSet<GroupId> DamagedGroups { get; } = [];

    public List<string> Reports { get; } = [];

    /// <summary>Where nothing was damaged, any report of damage is a failure, in a recovery that dies too.</summary>
    public bool DamageIsFailure { get; init; }

    public bool IsDamageUnknown { get; private set; }

    public bool IsDamaged => IsDamageUnknown || DamagedGroups.Count > 0;

    public static JournalModel Of(IEnumerable<JournalRecord> records)
    {
        JournalModel model = new();
        foreach (JournalRecord record in records)
        {
            model.At(record.Group).Apply(record);
        }

        return model;
    }

    public GroupModel At(GroupId group)
    {
        if (!Groups.TryGetValue(group, out GroupModel? model))
        {
            Groups.Add(group, model = new GroupModel());
        }

        return model;
    }

    /// <summary>Groups that are gone or never said anything are left out: a journal need not remember them.</summary>
    public string Describe() => string.Join('\n', Groups
        .Where(group => !group.Value.Deleted && group.Value.ToString() != new GroupModel().ToString())
        .Select(group => $"{group.Key}: {group.Value}"));

    public void HardState(GroupId group, HardState state) => At(group).HardState = state;

    public void Entries(GroupId group, IReadOnlyList<Entry> entries) => At(group).Add(entries);

    public void Commit(GroupId group, LogIndex commit) => At(group).Commit = Math.Max(At(group).Commit, commit.Value);

    public void SegmentsDurable(GroupId group, LogIndex index) => At(group).Release(index.Value);

    public void Reset(GroupId group, LogIndex index, Term term) => At(group).Reset(index.Value);

    public void LogBase(GroupId group, LogIndex index) => At(group).Cut(index.Value);

    public void Deleted(GroupId group) => At(group).Deleted = true;

    public void Damaged(GroupId group, string report)
    {
        Assert.False(DamageIsFailure, report);
        DamagedGroups.Add(group);
        Reports.Add(report);
    }

    public void DamagedUnknown(string report)
    {
        Assert.False(DamageIsFailure, report);
        IsDamageUnknown = true;
        Reports.Add(report);
    }
}
