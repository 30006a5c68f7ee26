using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>Who leads which group, as far as this node has heard: from its own replicas and from what leaders announce.</summary>
internal sealed class LeaderTable
{
    private ImmutableDictionary<GroupId, LeaderInfo> _leaders = ImmutableDictionary<GroupId, LeaderInfo>.Empty;

    public ImmutableDictionary<GroupId, LeaderInfo> Image => _leaders;

    /// <summary>True when this is news. A word of an older term never replaces one of a newer.</summary>
    public bool Learn(GroupId group, in LeaderInfo info)
    {
        if (_leaders.TryGetValue(group, out LeaderInfo known)
            && (known.Epoch > info.Epoch
                || (known.Epoch == info.Epoch && known.Leader == info.Leader && known.InSync.SequenceEqual(info.InSync))))
        {
            return false;
        }

        _leaders = _leaders.SetItem(group, info);
        return true;
    }

    /// <summary>The leader that was known is gone; its epoch may be named again only by itself.</summary>
    public bool Forget(GroupId group, int epoch)
    {
        if (!_leaders.TryGetValue(group, out LeaderInfo known) || known.Epoch > epoch)
        {
            return false;
        }

        _leaders = _leaders.Remove(group);
        return true;
    }

    public void Remove(GroupId group) => _leaders = _leaders.Remove(group);
}
