using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>All groups, as the naive oracle has them or as a replay told them.</summary>
internal sealed class JournalModel : IJournalReplay
{
    public SortedDictionary<GroupId, GroupModel> Groups { get; } = [];

    /// <summary>What the last call for each damaged group said.</summary>
    public SortedDictionary<GroupId, JournalDamage> Damages { get; } = [];

    public IEnumerable<GroupId> DamagedGroups => Damages.Keys;

    /// <summary>The groups with a folder, as the store of a node would tell.</summary>
    public IReadOnlyCollection<GroupId> Folders { get; init; } = [];

    public List<string> Reports { get; } = [];

    /// <summary>Where nothing was damaged, any report of damage is a failure, in a recovery that dies too.</summary>
    public bool DamageIsFailure { get; init; }

    public bool IsDamaged => Damages.Count > 0;

    IEnumerable<GroupId> IJournalReplay.Groups => Folders;

    /// <summary>Groups of which nothing ever went to segments or came in a snapshot.</summary>
    public Func<GroupId, bool> HasNoFiles { get; init; } = static _ => false;

    bool IJournalReplay.HasNoFiles(GroupId group) => HasNoFiles(group);

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

    public void Reset(GroupId group, LogIndex index, Term term, bool keepsEntries)
    {
        if (keepsEntries)
        {
            At(group).Cut(index.Value);
            At(group).Release(index.Value);
        }
        else
        {
            At(group).Reset(index.Value, term.Value);
        }
    }

    public void LogBase(GroupId group, LogIndex index) => At(group).Cut(index.Value);

    public void Deleted(GroupId group) => At(group).Deleted = true;

    public void Lost(GroupId group, LogIndex first, LogIndex last) => At(group).Lose(first.Value, last.Value);

    public void Suspect(GroupId group, LogIndex from) => At(group).SuspectFrom ??= from.Value;

    public void Settled(GroupId group) => At(group).SuspectFrom = null;

    public void Damaged(GroupId group, LogIndex? cutFrom, JournalDamage damage, string report)
    {
        Assert.False(DamageIsFailure, report);
        Assert.True(Damages.TryAdd(group, damage));
        Reports.Add(report);
        if (!damage.StateLost)
        {
            At(group).CutLog(cutFrom?.Value);
        }
    }

    /// <summary>
    /// Promise DETECTED for a journal of which something is lost: what came back is a beginning of each group's log and nothing else, and
    /// whatever is missing of it is told, with where the log had ended.
    /// </summary>
    public void RequireNothingLostInSilence(JournalModel truth)
    {
        foreach ((GroupId group, GroupModel model) in truth.Groups)
        {
            bool isDamaged = Damages.TryGetValue(group, out JournalDamage damage);
            if (isDamaged && damage.StateLost)
            {
                continue;
            }

            GroupModel back = Groups.GetValueOrDefault(group) ?? new GroupModel();
            if (!isDamaged)
            {
                Assert.Equal(model.ToString(), back.ToString());
                continue;
            }

            Assert.False(model.Deleted, $"{group} was deleted");
            back.RequireBeginningOf(model);
            Assert.True(damage.HardStateLost || back.HardState == model.HardState, $"{group}: {back.HardState}, and it was {model.HardState}");
            Assert.True(
                damage.Held is not { } held || (held.Index.Value == model.LastIndex && held.Term.Value == model.LastTerm),
                $"{group}: held {damage.Held}, and the log ended at {model.LastIndex} of term {model.LastTerm}");
        }
    }
}
