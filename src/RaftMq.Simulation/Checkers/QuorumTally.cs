using System.Numerics;
using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Which disks hold what, counted from the disks alone. A batch counts per base offset: bytes that an earlier leader placed elsewhere,
/// and that were truncated since, are no copy of what is acknowledged now. Nor are those of a replica that its node gave up.
/// </summary>
internal sealed class QuorumTally
{
    private readonly Dictionary<(Mark Mark, long BaseOffset), ulong> _holders = [];
    private readonly Dictionary<Mark, GroupId> _groupOf = [];
    private readonly Dictionary<GroupId, List<(Mark Mark, long BaseOffset)>> _marksOf = [];
    private readonly Dictionary<GroupId, int> _minInSync = [];

    /// <summary>Those of the log of whoever answered last.</summary>
    private readonly Dictionary<GroupId, (ulong Voters, ulong Outgoing)> _members = [];

    /// <summary>The newest that was ever seen.</summary>
    private readonly Dictionary<GroupId, (LogIndex At, ulong Voters, ulong Outgoing)> _newest = [];
    private readonly LogFronts _fronts = new();

    public void Observe(HistoryEvent happened)
    {
        _fronts.Observe(happened);
        switch (happened)
        {
            case HistoryEvent.PartitionCreated created:
                _members.TryAdd(created.Group, (MaskOf(created.Voters), 0));
                _minInSync[created.Group] = created.MinInSync;
                break;
            case HistoryEvent.MembersInForce members:
                _members[members.Group] = (MaskOf(members.Voters), MaskOf(members.Outgoing));
                if (_newest.GetValueOrDefault(members.Group).At <= members.At)
                {
                    _newest[members.Group] = (members.At, MaskOf(members.Voters), MaskOf(members.Outgoing));
                }

                break;
            case HistoryEvent.SendStarted sent:
                _groupOf[sent.Mark] = sent.Group;
                break;
            case HistoryEvent.MarkDurable durable:
                Durable(durable);
                break;
            case HistoryEvent.ReplicaGivenUp gone:
                GivenUp(gone);
                break;
        }
    }

    /// <summary>Null when enough voters hold it to acknowledge it, else what is missing.</summary>
    public string? ShortOfAck(GroupId group, Mark mark, long baseOffset) =>
        ShortOfNow(group, mark, baseOffset, _minInSync.GetValueOrDefault(group));

    /// <summary>Null when a majority of voters holds it, else what is missing. For what is read.</summary>
    public string? ShortOfMajority(GroupId group, Mark mark, long baseOffset) => ShortOfNow(group, mark, baseOffset, atLeast: 0);

    /// <summary>A former leader, which stood still, may still tell what was committed long after those who hold it are others.</summary>
    private string? ShortOfNow(GroupId group, Mark mark, long baseOffset, int atLeast)
    {
        if (_newest.TryGetValue(group, out (LogIndex At, ulong Voters, ulong Outgoing) newest))
        {
            _holders.TryGetValue((mark, baseOffset), out ulong holders);
            if (HasMajority(holders, newest.Outgoing == 0 ? newest.Voters : newest.Outgoing)
                && BitOperations.PopCount(holders & (newest.Voters | newest.Outgoing)) >= atLeast)
            {
                return null;
            }
        }

        return ShortOf(group, mark, baseOffset, atLeast);
    }

    /// <summary>For what a group keeps beside batches: on a majority of its voters.</summary>
    public string? ShortOfInternal(GroupId group, Mark mark) => ShortOf(group, mark, baseOffset: -1, atLeast: 0);

    /// <summary>Null when a majority of one of these memberships holds it.</summary>
    public string? ShortOfAny(IReadOnlyList<HistoryEvent.MembersInForce> believed, Mark mark)
    {
        _holders.TryGetValue((mark, -1), out ulong holders);
        return believed.Any(members => HasMajority(holders, MaskOf(members.Outgoing.Count == 0 ? members.Voters : members.Outgoing)))
            ? null
            : $"{mark} is durable on nodes {Names(holders)}, which are no majority of "
                + string.Join(" or ", believed.Select(members => Names(MaskOf(members.Outgoing.Count == 0 ? members.Voters : members.Outgoing))).Distinct());
    }

    private static ulong Bit(NodeId node) => 1UL << node.Value;

    private static ulong MaskOf(IReadOnlyList<NodeId> nodes) => nodes.Aggregate(0UL, (mask, node) => mask | Bit(node));

    private static bool HasMajority(ulong holders, ulong voters) =>
        BitOperations.PopCount(holders & voters) >= (BitOperations.PopCount(voters) / 2) + 1;

    private void Durable(HistoryEvent.MarkDurable durable)
    {
        (Mark, long) key = (durable.Mark, durable.BaseOffset);
        if (!_holders.TryGetValue(key, out ulong holders) && _groupOf.TryGetValue(durable.Mark, out GroupId group))
        {
            if (!_marksOf.TryGetValue(group, out List<(Mark, long)>? marks))
            {
                _marksOf.Add(group, marks = []);
            }

            marks.Add(key);
        }

        _holders[key] = holders | Bit(durable.Node);
    }

    private void GivenUp(HistoryEvent.ReplicaGivenUp gone)
    {
        foreach ((GroupId group, List<(Mark, long)> marks) in _marksOf)
        {
            if (group.IsLifeOf(gone.Key))
            {
                foreach ((Mark, long) key in marks)
                {
                    _holders[key] &= ~Bit(gone.Node);
                }
            }
        }
    }

    /// <summary>
    /// A joint membership needs both halves, but for what was committed before it: the old half decided that alone. Where the new half stands
    /// alone, the joint one is committed, and with it all before.
    /// </summary>
    private string? ShortOf(GroupId group, Mark mark, long baseOffset, int atLeast)
    {
        if (!_members.TryGetValue(group, out (ulong Voters, ulong Outgoing) members))
        {
            return $"{mark} at {baseOffset} belongs to group {group}, which nobody created";
        }

        // Who came later never gets what was deleted, and may still have to answer for it when a batch is sent again.
        if (baseOffset >= 0 && baseOffset < _fronts.GoneBefore(group) && _newest.GetValueOrDefault(group).At > LogIndex.Zero)
        {
            return null;
        }

        _holders.TryGetValue((mark, baseOffset), out ulong holders);
        ulong deciding = members.Outgoing == 0 ? members.Voters : members.Outgoing;
        ulong all = members.Voters | members.Outgoing;
        bool isEnough = HasMajority(holders, deciding) && BitOperations.PopCount(holders & all) >= atLeast;
        return isEnough
            ? null
            : $"{mark} at offset {baseOffset} is durable on {BitOperations.PopCount(holders & deciding)} voters (nodes {Names(holders & all)}), "
                + $"{Math.Max(atLeast, (BitOperations.PopCount(deciding) / 2) + 1)} of nodes {Names(deciding)} are needed";
    }

    private static string Names(ulong mask) => string.Join(',', Enumerable.Range(0, 64).Where(n => (mask >> n & 1) == 1));
}
