using System.Diagnostics.CodeAnalysis;
using RaftMq.Raft;

namespace RaftMq.Broker.Groups;

/// <summary>
/// A group as its coordinator knows it now: ahead of the replicated record by what is proposed and not yet applied, and by a
/// rebalance under way. Holds state and answers questions; <see cref="GroupRebalancer"/> moves it.
/// </summary>
internal sealed class LiveGroup(ConsumerGroupId id)
{
    private readonly Dictionary<MemberId, LiveMember> _byId = [];
    private readonly Dictionary<InstanceId, LiveMember> _byInstance = [];

    public ConsumerGroupId Id { get; } = id;

    public GroupPhase Phase { get; set; } = GroupPhase.Empty;

    /// <summary>Never goes back.</summary>
    public Generation Generation { get; set; }

    public string ProtocolType { get; set; } = "";

    /// <summary>Of the present generation; empty in an empty group.</summary>
    public string ProtocolName { get; set; } = "";

    public MemberId Leader { get; set; } = MemberId.None;

    /// <summary>In the order they joined.</summary>
    public List<LiveMember> Members { get; } = [];

    /// <summary>Member ids given out and not yet joined with (KIP-394), with the instant when each is void.</summary>
    public SortedDictionary<MemberId, long> Promised { get; } = [];

    /// <summary>In <see cref="GroupPhase.Joining"/>: the rebalance does not end before this, it waits for more first joins.</summary>
    public long JoinNotBeforeMs { get; set; }

    /// <summary>The rebalance began in an empty group, so each new member makes it wait anew.</summary>
    public bool IsGathering { get; set; }

    /// <summary>In <see cref="GroupPhase.Joining"/>: the rebalance ends now at the latest, without those who did not join.</summary>
    public long JoinDeadlineMs { get; set; }

    /// <summary>Members that owe a sync at this instant are taken for dead.</summary>
    public long SyncDeadlineMs { get; set; }

    /// <summary>What to write next: the newest record that is not proposed yet, or null.</summary>
    public GroupRecord? Unwritten { get; set; }

    /// <summary>Answers that may leave when <see cref="Unwritten"/> is committed.</summary>
    public List<HeldReply> WaitForUnwritten { get; set; } = [];

    /// <summary>Answers that may leave when the proposed record is committed; null when none is proposed. At most one is under way.</summary>
    public List<HeldReply>? WaitForProposed { get; set; }

    /// <summary>No deadline of the group lies before this.</summary>
    public long NextDeadlineMs { get; private set; } = long.MaxValue;

    /// <summary>Nothing is lost when the coordinator forgets it: the replicated record says all.</summary>
    public bool IsIdle =>
        Members.Count == 0 && Promised.Count == 0 && Phase == GroupPhase.Empty && Unwritten is null && WaitForProposed is null;

    /// <summary>Has members, no rebalance and nothing that is not durable.</summary>
    public bool IsSettled => Phase == GroupPhase.Stable && Unwritten is null && WaitForProposed is null;

    public bool Has(LiveMember member) => _byId.TryGetValue(member.Id, out LiveMember? present) && present == member;

    public bool TryGetMember(MemberId id, [NotNullWhen(true)] out LiveMember? member) => _byId.TryGetValue(id, out member);

    public bool TryGetMember(InstanceId instance, [NotNullWhen(true)] out LiveMember? member) =>
        _byInstance.TryGetValue(instance, out member);

    /// <summary>The member a request speaks for, or why it may not speak.</summary>
    public GroupRefusal? Find(MemberId id, InstanceId? instance, out LiveMember? member)
    {
        member = null;
        if (instance is { } name)
        {
            if (!_byInstance.TryGetValue(name, out LiveMember? holder))
            {
                return GroupRefusal.UnknownMember;
            }

            if (holder.Id != id)
            {
                return GroupRefusal.FencedInstance;
            }
        }

        return _byId.TryGetValue(id, out member) ? null : GroupRefusal.UnknownMember;
    }

    public void Add(LiveMember member)
    {
        _byId.Add(member.Id, member);
        if (member.Instance is { } instance)
        {
            _byInstance.Add(instance, member);
        }

        Members.Add(member);
    }

    public void Remove(LiveMember member)
    {
        Invariant.Holds(member.WaitingJoin is null);
        Invariant.Holds(member.WaitingSync is null);
        _byId.Remove(member.Id);
        if (member.Instance is { } instance)
        {
            _byInstance.Remove(instance);
        }

        Members.Remove(member);
        if (Leader == member.Id)
        {
            Leader = MemberId.None;
        }
    }

    /// <summary>A static member's place goes to another process: same place, same assignment, another member id.</summary>
    public void Rename(LiveMember member, MemberId id)
    {
        _byId.Remove(member.Id);
        if (Leader == member.Id)
        {
            Leader = id;
        }

        member.Id = id;
        _byId.Add(id, member);
    }

    public int Bytes()
    {
        int bytes = 0;
        foreach (LiveMember member in Members)
        {
            bytes += member.Bytes;
        }

        return bytes;
    }

    public int RebalanceTimeoutMs()
    {
        int longest = 0;
        foreach (LiveMember member in Members)
        {
            longest = Math.Max(longest, member.RebalanceTimeoutMs);
        }

        return longest;
    }

    public bool AllJoined()
    {
        foreach (LiveMember member in Members)
        {
            if (member.WaitingJoin is null)
            {
                return false;
            }
        }

        return Promised.Count == 0;
    }

    /// <summary>Whether someone who offers these protocols fits in: the others (all but <paramref name="self"/>) know one of them.</summary>
    public bool Accepts(string protocolType, MemberProtocol[] protocols, LiveMember? self)
    {
        return Members.Count == 0
            || (ProtocolType == protocolType && Array.Exists(protocols, protocol => AllKnow(protocol.Name, except: self)));
    }

    /// <summary>
    /// Every member votes for the first of its own protocols that all know; most votes win, on a tie the one that the member who has
    /// been here longest prefers.
    /// </summary>
    public string SelectProtocol()
    {
        List<string> candidates = [];
        foreach (MemberProtocol protocol in Members[0].Protocols)
        {
            if (AllKnow(protocol.Name, except: null))
            {
                candidates.Add(protocol.Name);
            }
        }

        Invariant.Holds(candidates.Count > 0);
        int[] votes = new int[candidates.Count];
        foreach (LiveMember member in Members)
        {
            MemberProtocol choice = Array.Find(member.Protocols, protocol => candidates.Contains(protocol.Name))!;
            votes[candidates.IndexOf(choice.Name)]++;
        }

        return candidates[Array.IndexOf(votes, votes.Max())];
    }

    /// <summary>All members with the metadata of the chosen protocol, for the one who assigns.</summary>
    public JoinedMember[] ToJoinedMembers()
    {
        JoinedMember[] joined = new JoinedMember[Members.Count];
        for (int i = 0; i < joined.Length; i++)
        {
            LiveMember member = Members[i];
            joined[i] = new(member.Id, member.Instance, member.FindProtocol(ProtocolName)!.Metadata);
        }

        return joined;
    }

    /// <summary>Notes the present generation to be written.</summary>
    public void MarkChanged(long nowMs)
    {
        Invariant.Holds(Phase != GroupPhase.Joining);
        Unwritten = new(
            Generation, Phase, ProtocolType, ProtocolName, Leader, nowMs, [.. Members.Select(member => member.ToRecord())]);
    }

    /// <summary>
    /// Takes the answers that speak of a generation whose record was not even proposed and now gives way to the next one's: that
    /// generation never comes to be, so nobody may hear of it.
    /// </summary>
    public List<HeldReply> TakeSuperseded()
    {
        List<HeldReply> superseded = [];
        if (Unwritten is { } record && record.Generation != Generation)
        {
            WaitForUnwritten.RemoveAll(reply =>
            {
                HeldReply? instead = reply.Superseded();
                if (instead is not null)
                {
                    superseded.Add(instead);
                }

                return instead is not null;
            });
        }

        return superseded;
    }

    /// <summary>Whether answers must wait until what the group knows is durable; if so, the answer is kept.</summary>
    public bool TryHold(HeldReply reply)
    {
        List<HeldReply>? waiting = PlantedBug.GenerationToldBeforeWritten ? null : Unwritten is not null ? WaitForUnwritten : WaitForProposed;
        waiting?.Add(reply);
        return waiting is not null;
    }

    public void UpdateNextDeadline()
    {
        long next = long.MaxValue;
        foreach (long deadlineMs in Promised.Values)
        {
            next = Math.Min(next, deadlineMs);
        }

        foreach (LiveMember member in Members)
        {
            if (member.CanExpire)
            {
                next = Math.Min(next, member.DeadlineMs);
            }

            if (member.OwesSync)
            {
                next = Math.Min(next, SyncDeadlineMs);
            }
        }

        if (Phase == GroupPhase.Joining)
        {
            next = Math.Min(next, JoinDeadlineMs);
            if (IsGathering)
            {
                next = Math.Min(next, JoinNotBeforeMs);
            }
        }

        NextDeadlineMs = next;
    }

    /// <summary>The group as a new coordinator finds it: everybody has a whole session timeout to be heard.</summary>
    public static LiveGroup From(ConsumerGroupId id, GroupRecord record, long nowMs)
    {
        LiveGroup group = new(id)
        {
            Phase = record.Phase,
            Generation = record.Generation,
            ProtocolType = record.ProtocolType,
            ProtocolName = record.ProtocolName,
            Leader = record.Leader,
        };
        foreach (MemberRecord stored in record.Members)
        {
            LiveMember member = LiveMember.From(stored);
            member.DeadlineMs = nowMs + member.SessionTimeoutMs;
            member.OwesSync = record.Phase == GroupPhase.Syncing;
            group.Add(member);
        }

        group.SyncDeadlineMs = nowMs + group.RebalanceTimeoutMs();
        group.UpdateNextDeadline();
        return group;
    }

    public void CheckInvariants()
    {
        Invariant.Holds(_byId.Count == Members.Count);
        Invariant.Holds((Members.Count == 0) == (Phase == GroupPhase.Empty) || Phase == GroupPhase.Joining);
        Invariant.Holds(Phase is GroupPhase.Empty or GroupPhase.Joining || _byId.ContainsKey(Leader));
        Invariant.Holds(Leader.IsNone || _byId.ContainsKey(Leader));
        foreach (LiveMember member in Members)
        {
            Invariant.Holds(member.WaitingJoin is null || Phase == GroupPhase.Joining);
            Invariant.Holds(member.WaitingSync is null || Phase == GroupPhase.Syncing);
            Invariant.Holds(!member.IsNew || Phase == GroupPhase.Joining);
            Invariant.Holds(!Promised.ContainsKey(member.Id));
        }
    }

    private bool AllKnow(string protocolName, LiveMember? except)
    {
        foreach (LiveMember member in Members)
        {
            if (member != except && member.FindProtocol(protocolName) is null)
            {
                return false;
            }
        }

        return true;
    }
}
