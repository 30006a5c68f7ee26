using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// Who leads which group, as far as this node has heard: from its own replicas and from what leaders announce. A word on a group that
/// the cluster's state here does not have is kept aside for a while: the group is either made and its creation not heard of yet, or
/// deleted and the word is late.
/// </summary>
internal sealed class LeaderTable
{
    /// <summary>Words kept aside; who leads what is said again, so what is over is no loss.</summary>
    public const int EarlyMax = 10_000;

    /// <summary>Longer than the time between two announcements, so that a group that does appear finds its leader here.</summary>
    public const int EarlyKeptMs = 5_000;

    private readonly SortedDictionary<GroupId, (LeaderInfo Info, long UntilMs)> _early = [];

    /// <summary>The newest epoch that was ever heard of each placed group: it outlives the leader that had it. For look-up only.</summary>
    private readonly Dictionary<GroupId, int> _epochs = [];

    private HashSet<GroupId> _placed = [];
    private ImmutableDictionary<GroupId, LeaderInfo> _leaders = ImmutableDictionary<GroupId, LeaderInfo>.Empty;

    public ImmutableDictionary<GroupId, LeaderInfo> Image => _leaders;

    public int EarlyCount => _early.Count;

    /// <summary>The groups that the cluster has from now on. True when that changes the image.</summary>
    public bool Place(HashSet<GroupId> groups)
    {
        _placed = groups;
        ImmutableDictionary<GroupId, LeaderInfo> before = _leaders;
        foreach (GroupId gone in _epochs.Keys.Where(g => !groups.Contains(g)).ToArray())
        {
            _epochs.Remove(gone);
            _leaders = _leaders.Remove(gone);
        }

        foreach (GroupId group in _early.Keys.Where(groups.Contains).ToArray())
        {
            _early.Remove(group, out (LeaderInfo Info, long UntilMs) early);
            Learn(group, early.Info, early.UntilMs);
        }

        return _leaders != before;
    }

    /// <summary>True when this is news. A word of an older term never replaces one of a newer.</summary>
    public bool Learn(GroupId group, in LeaderInfo info, long nowMs)
    {
        if (!_placed.Contains(group))
        {
            KeepAside(group, info, nowMs);
            return false;
        }

        if ((_epochs.TryGetValue(group, out int newest) && newest > info.Epoch)
            || (_leaders.TryGetValue(group, out LeaderInfo known) && known.Epoch == info.Epoch && known.Leader == info.Leader
                && known.InSync.SequenceEqual(info.InSync)))
        {
            return false;
        }

        _epochs[group] = info.Epoch;
        _leaders = _leaders.SetItem(group, info);
        return true;
    }

    /// <summary>The leader that was known is gone. What an older one said may still come and counts no more than before.</summary>
    public bool Forget(GroupId group, int epoch)
    {
        if (!_leaders.TryGetValue(group, out LeaderInfo known) || known.Epoch > epoch)
        {
            return false;
        }

        _leaders = _leaders.Remove(group);
        return true;
    }

    /// <summary>Drops words on groups that have not appeared in time.</summary>
    public void Tick(long nowMs)
    {
        foreach (GroupId group in _early.Where(e => e.Value.UntilMs <= nowMs).Select(e => e.Key).ToArray())
        {
            _early.Remove(group);
        }
    }

    private void KeepAside(GroupId group, in LeaderInfo info, long nowMs)
    {
        if (_early.TryGetValue(group, out (LeaderInfo Info, long UntilMs) known) ? known.Info.Epoch <= info.Epoch : _early.Count < EarlyMax)
        {
            _early[group] = (info, nowMs + EarlyKeptMs);
        }
    }
}
