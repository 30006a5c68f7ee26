using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Movement;

/// <summary>
/// Drives the movements of what this node leads (<see cref="ReplicaMover"/>), at most so many at a time as catch up
/// (<see cref="BrokerLimits.Movements"/>), and tells the controller what is done until its state says the same. A group whose members are
/// not what the state wants although no movement is under way is mended in the same way: a leader with an old state may have changed it.
/// </summary>
internal sealed class Movements(Shard shard, BrokerLimits limits, Action<ControllerRequest> tell)
{
    private const int LookMs = 50;

    /// <summary>Groups that no movement is known of are looked at this often.</summary>
    private const int LookAtAllMs = 1_000;

    private const int TellAgainMs = 500;

    private readonly SortedDictionary<GroupId, Place> _placed = [];
    private readonly SortedSet<GroupId> _moving = [];
    private readonly List<GroupId> _looking = [];
    private long _nextLookMs;
    private long _nextLookAtAllMs;

    private sealed class Place(UInt128 topicId, string topic)
    {
        public UInt128 TopicId => topicId;

        public string Topic => topic;

        public required PartitionInfo Partition { get; set; }

        public MovementPhase Phase { get; set; }

        public long NextTellMs { get; set; }

        /// <summary>The leadership in which a hand-over was tried; another one is not.</summary>
        public (Term Term, int Epoch)? HandOverTried { get; set; }
    }

    /// <summary>Movements led here for which data flows or members change.</summary>
    public int ActiveCount => _moving.Count(g => shard.Find(g) is { IsServing: true } r && HasBegun(r.Membership));

    /// <summary>
    /// Where the cluster's state has the group; null when it is no partition's. Of a damaged one of which the name is lost, the store's key does
    /// as well.
    /// </summary>
    public (UInt128 TopicId, PartitionInfo Partition)? PlaceOf(GroupId group)
    {
        if (!_placed.TryGetValue(group, out Place? place))
        {
            place = _placed.Values.FirstOrDefault(other => group.IsLifeOf(other.Partition.Group));
        }

        return place is null ? null : (place.TopicId, place.Partition);
    }

    /// <summary>What the cluster's state says now.</summary>
    public void Placed(UInt128 topicId, string topic, PartitionInfo partition)
    {
        if (_placed.TryGetValue(partition.Group, out Place? place))
        {
            place.Partition = partition;
        }
        else
        {
            _placed.Add(partition.Group, new Place(topicId, topic) { Partition = partition });
        }

        if (partition.IsMoving)
        {
            _moving.Add(partition.Group);
        }
        else
        {
            _moving.Remove(partition.Group);
        }
    }

    public void Removed(GroupId group)
    {
        _placed.Remove(group);
        _moving.Remove(group);
    }

    public void Tick(long nowMs)
    {
        if (nowMs < _nextLookMs)
        {
            return;
        }

        _nextLookMs = nowMs + LookMs;
        _looking.Clear();
        _looking.AddRange(_moving);
        if (nowMs >= _nextLookAtAllMs)
        {
            _nextLookAtAllMs = nowMs + LookAtAllMs;
            _looking.AddRange(shard.Replicas.Keys.Where(g => !_moving.Contains(g)));
        }

        int active = ActiveCount;
        foreach (GroupId group in _looking)
        {
            if (shard.Find(group) is { IsServing: true } replica && _placed.TryGetValue(group, out Place? place))
            {
                active += Drive(replica, place, mayBegin: active < limits.Movements, nowMs) ? 1 : 0;
            }
        }
    }

    public ImmutableArray<MovementStatus> Status() =>
    [
        .. _moving.Select(g => (Replica: shard.Find(g), Place: _placed[g]))
            .Where(static m => m.Replica is { IsLeader: true })
            .Select(static m => Describe(m.Replica!, m.Place)),
    ];

    private static bool HasBegun(Membership membership) => membership.IsJoint || membership.Learners.Count > 0;

    /// <summary>True when data begins to flow.</summary>
    private bool Drive(Replica replica, Place place, bool mayBegin, long nowMs)
    {
        PartitionInfo partition = place.Partition;
        if (partition.IsMoving && replica.IsQuiet)
        {
            // Who comes is not there yet, so a quiet group would never speak to it.
            replica.WakeUp();
        }

        bool mayHandOver = place.HandOverTried != (replica.Term, partition.Epoch);
        switch (ReplicaMover.Next(ViewOf(replica), partition.Replicas, limits.ReplicationWindowEntries, mayHandOver))
        {
            case MoveStep.SetLearners { IsStart: true } when !mayBegin && !HasBegun(replica.Membership):
                Probe.Reached(RareBranch.MovementWaited);
                place.Phase = MovementPhase.Waiting;
                return false;
            case MoveStep.SetLearners step:
                Probe.ReachedWhen(!partition.IsMoving, RareBranch.MembershipMended);
                bool begins = step.IsStart && !HasBegun(replica.Membership);
                place.Phase = MovementPhase.CatchingUp;
                return replica.ProposeMembership(replica.Membership.Voters, step.Learners) is ChangeResult.Started && begins;
            case MoveStep.AwaitCatchUp:
                place.Phase = MovementPhase.CatchingUp;
                return false;
            case MoveStep.HandOver step:
                Probe.Reached(RareBranch.LeaverHandedOver);
                place.Phase = MovementPhase.Changing;
                place.HandOverTried = (replica.Term, partition.Epoch);
                replica.TransferLeadership(step.To);
                return false;
            case MoveStep.SetVoters:
                Probe.ReachedWhen(!partition.IsMoving, RareBranch.MembershipMended);
                place.Phase = MovementPhase.Changing;
                replica.ProposeMembership(partition.Replicas, []);
                return false;
            case MoveStep.Settled:
                place.Phase = MovementPhase.Ending;
                TellSettled(replica, place, nowMs);
                return false;
            default:
                place.Phase = MovementPhase.Changing;
                return false;
        }
    }

    /// <summary>
    /// Not before a quorum has confirmed this leader: a former one does not know what its successor changed, and what it calls settled
    /// may be how the group was before.
    /// </summary>
    private void TellSettled(Replica replica, Place place, long nowMs)
    {
        PartitionInfo partition = place.Partition;
        bool isNews = partition.IsMoving || replica.MembershipEntry > partition.SettledAt;
        if (!isNews || nowMs < place.NextTellMs)
        {
            return;
        }

        place.NextTellMs = nowMs + TellAgainMs;
        replica.ConfirmLeader(new WhenConfirmed(() => Confirmed(replica, place, partition.Epoch), static () => { }));
    }

    private void Confirmed(Replica replica, Place place, int epoch)
    {
        PartitionInfo partition = place.Partition;
        bool isSettled = replica.IsServing && partition.Epoch == epoch
            && ReplicaMover.Next(ViewOf(replica), partition.Replicas, limits.ReplicationWindowEntries, mayHandOver: false) is MoveStep.Settled;
        if (isSettled)
        {
            tell(new ControllerRequest.Settled(place.TopicId, partition.Number, epoch, replica.MembershipIndex, replica.Term));
        }
    }

    private static MoveView ViewOf(Replica replica) => new(
        replica.Self, replica.Membership, replica.MembershipIndex, replica.CommitIndex, replica.Log.LastIndex, replica.Progress);

    private static MovementStatus Describe(Replica replica, Place place)
    {
        PartitionInfo partition = place.Partition;
        long entries = Math.Max(1, replica.Log.LastIndex - replica.Log.BaseIndex);
        ImmutableArray<LearnerStatus>.Builder learners = ImmutableArray.CreateBuilder<LearnerStatus>();
        foreach (PeerProgress peer in replica.Progress)
        {
            if (!peer.IsVoter)
            {
                long left = Math.Min(entries, replica.Log.LastIndex - peer.Match);
                learners.Add(new LearnerStatus(
                    peer.Replica.Node, left, (long)(replica.Log.SegmentBytes * ((double)left / entries))));
            }
        }

        return new MovementStatus(
            replica.Group, place.Topic, partition.Number, [.. partition.Replicas.Select(static r => r.Node)],
            [.. partition.Leaving.Select(static r => r.Node)], place.Phase, learners.ToImmutable());
    }
}
