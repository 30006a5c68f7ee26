namespace RaftMq.Raft;

internal enum BootNews
{
    Same,

    /// <summary>Of a former life of the sender: to be dropped.</summary>
    Older,

    /// <summary>The sender started anew: what it acknowledged before is void.</summary>
    Newer,
}

/// <summary>The highest boot number heard of each replica.</summary>
internal sealed class BootTable
{
    /// <summary>Members are few; strangers (former members, mostly; never a member) push each other out.</summary>
    private const int EntriesMax = 3 * MembershipCodec.MembersMax;

    private readonly List<(ReplicaId Replica, BootNumber Boot)> _boots = [];

    public BootNews Observe(ReplicaId replica, BootNumber boot, Membership membership)
    {
        for (int i = 0; i < _boots.Count; i++)
        {
            if (_boots[i].Replica != replica)
            {
                continue;
            }

            long known = _boots[i].Boot.Value;
            if (boot.Value > known)
            {
                _boots[i] = (replica, boot);
            }

            return boot.Value == known ? BootNews.Same : boot.Value < known ? BootNews.Older : BootNews.Newer;
        }

        if (_boots.Count == EntriesMax)
        {
            _boots.RemoveAt(_boots.FindIndex(b => !membership.IsMember(b.Replica)));
        }

        _boots.Add((replica, boot));
        return BootNews.Same;
    }
}
