using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Leadership;

/// <summary>
/// Which replicas should not lead, and why: this node's own faults, which it tells the others, and what the others told of theirs.
/// A hint for whoever hands leadership over; safety does not depend on it.
/// </summary>
internal sealed class LeaderFitness(NodeId self)
{
    private readonly SortedDictionary<GroupId, LeaderFaults> _ownGroups = [];
    private readonly SortedDictionary<NodeId, Word> _others = [];
    private readonly SlowTimes _slow = new();
    private LeaderFaults _own;
    private bool _isNews;

    private sealed record Word(LeaderFaults Node, Dictionary<GroupId, LeaderFaults> Groups);

    /// <summary>All that this node says of itself; said again and again, as a frame may be lost.</summary>
    public PeerMessage.Faults Announcement => new(_own, [.. _ownGroups.Select(static own => new GroupFaults(own.Key, own.Value))]);

    /// <summary>This node's faults in place of those that it had.</summary>
    public void SetNode(LeaderFaults faults, long nowMs)
    {
        _slow.Learn(self, faults.HasFlag(LeaderFaults.SlowDisk), nowMs);
        _isNews |= _own != faults;
        _own = faults;
    }

    /// <summary>Sets or clears faults of this node's replica of a group.</summary>
    public void SetGroup(GroupId group, LeaderFaults faults, bool has)
    {
        LeaderFaults before = _ownGroups.GetValueOrDefault(group);
        LeaderFaults now = has ? before | faults : before & ~faults;
        if (now == before)
        {
            return;
        }

        _isNews = true;
        if (now == LeaderFaults.None)
        {
            _ownGroups.Remove(group);
        }
        else
        {
            _ownGroups[group] = now;
        }
    }

    /// <summary>This node's replica is gone.</summary>
    public void Removed(GroupId group) => _isNews |= _ownGroups.Remove(group);

    public bool HasOwnFaults => _own != LeaderFaults.None || _ownGroups.Count > 0;

    /// <summary>True once after the own faults changed.</summary>
    public bool TakeNews()
    {
        bool news = _isNews;
        _isNews = false;
        return news;
    }

    /// <summary>Said again every few seconds, so what a node said before it stopped does not last.</summary>
    public void Heard(NodeId from, PeerMessage.Faults said, long nowMs)
    {
        _slow.Learn(from, said.Node.HasFlag(LeaderFaults.SlowDisk), nowMs);
        var groups = new Dictionary<GroupId, LeaderFaults>(said.Groups.Count);
        foreach (GroupFaults group in said.Groups)
        {
            groups[group.Group] = group.Faults;
        }

        _others[from] = new Word(said.Node, groups);
        AnyOtherDiskIsFull = false;
        foreach (Word word in _others.Values)
        {
            AnyOtherDiskIsFull |= word.Node.HasFlag(LeaderFaults.DiskFull) || word.Groups.Values.Any(static faults => faults.HasFlag(LeaderFaults.DiskFull));
        }
    }

    /// <summary>False when the node said of itself that its disk is full. Who said nothing has room.</summary>
    public bool HasRoom(NodeId node) =>
        !(node == self ? _own : _others.TryGetValue(node, out Word? word) ? word.Node : LeaderFaults.None).HasFlag(LeaderFaults.DiskFull);

    /// <summary>Some other node said so last, of itself or of any of its replicas.</summary>
    public bool AnyOtherDiskIsFull { get; private set; }

    /// <summary>That node's disk is clearly faster than this one's, by how long each was slow lately.</summary>
    public bool IsDiskClearlyFaster(NodeId node, long nowMs) => _slow.IsClearlyFaster(node, self, nowMs);

    /// <summary>What speaks against that node's replica of a group as its leader, as far as is known here.</summary>
    public LeaderFaults Of(NodeId node, GroupId group)
    {
        if (node == self)
        {
            return _own | _ownGroups.GetValueOrDefault(group);
        }

        return _others.TryGetValue(node, out Word? word) ? word.Node | word.Groups.GetValueOrDefault(group) : LeaderFaults.None;
    }
}
