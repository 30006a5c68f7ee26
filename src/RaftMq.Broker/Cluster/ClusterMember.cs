using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Leadership;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>What the cluster part asks of the node around it.</summary>
internal interface IClusterHost
{
    /// <summary>Creates this node's replica of the controller group, with these first voters.</summary>
    void OpenController(FormedCluster formed);

    /// <summary>Creates this node's replica of the controller group of a cluster that took it in; its members tell it the rest.</summary>
    void JoinController(GroupId controllerGroup, UInt128 clusterId);

    /// <summary>Creates, configures or gives up this node's replicas so that they are what the cluster's state says.</summary>
    void Reconcile(ClusterState state);

    /// <summary>A node is there again, or anew, or silent.</summary>
    void WakeGroupsOf(NodeId node);

    /// <summary>A node hears this one, which it did not just before: what it was asked for meanwhile may have been lost.</summary>
    void ContactMade();

    /// <summary>Groups that this node leads, for a node that has just come.</summary>
    void CollectLeads(List<GroupLead> leads);

    /// <summary>A new image is there for the faces.</summary>
    void Publish(ClusterImage image);

    /// <summary>This node can't be part of the cluster: it must stop, with this sentence.</summary>
    void RefusedByCluster(string reason);
}

/// <summary>
/// A node's part in the cluster, in the first shard's section. Its life:
/// 1. without a controller group: it forms a first cluster with the other initial nodes (<see cref="Formation"/>), or joins the one it is
///    introduced to (<see cref="Joining"/>);
/// 2. it registers with the controller's leader, again whenever what it would say changes;
/// 3. it follows the controller group: opens replicas, publishes <see cref="ClusterImage"/>s, takes administration requests.
/// </summary>
internal sealed class ClusterMember : IClusterFollower
{
    private const int HeartbeatMs = 100;
    private const int FormationMs = 200;
    private const int RegisterAgainMs = 1_000;
    private const int RegisterDeadlineMs = 5_000;
    private const int TellDeadlineMs = 500;

    /// <summary>Who leads what is said again, because a frame may be lost without the connection being missed.</summary>
    private const int AnnounceMs = 2_000;

    /// <summary>Between two words to a stranger.</summary>
    private const int StrangerMs = 200;

    /// <summary>Strangers that are told what they are; more than there are nodes is somebody's mistake.</summary>
    private const int StrangersMax = 64;

    private readonly NodeSettings _settings;
    private readonly NodeRecord _ownRecord;
    private readonly IClusterHost _host;
    private readonly IClock _clock;
    private readonly INodeEnvironment _environment;
    private readonly PeerOutbox _outbox;
    private readonly LeaderFitness _fitness;
    private readonly Connectivity _connectivity;
    private readonly BrokerOptions _options;
    private readonly PeerLiveness _liveness = new();
    private readonly LeaderTable _leaders = new();
    private readonly ClusterClaims _claims;
    private readonly ControllerLink _link;
    private readonly long _startMs;
    private readonly Formation _formation;
    private readonly Joining _joining;
    private readonly ControllerKeeper _keeper;
    private readonly BalanceKeeper _balance;
    private readonly List<NodeId> _silent = [];
    private readonly AdminRequests _requests;
    private FormedCluster? _formed;
    private Replica? _controller;
    private bool _imageDue = true;

    /// <summary>The groups that the cluster has may be others: looked at once per turn, not per entry.</summary>
    private bool _groupsDue = true;

    /// <summary>The replicas here may not be what the cluster's state says.</summary>
    private bool _reconcileDue;

    private bool _registering;
    private long _nextHeartbeatMs;
    private long _nextFormationMs;
    private long _nextRegisterMs;
    private long _nextAnnounceMs;
    private long _nextHearingMs;

    /// <summary>Folders that are not the cluster's, and when each is spoken to again.</summary>
    private readonly SortedDictionary<ReplicaId, long> _strangers = [];

    public ClusterMember(
        NodeSettings settings, BrokerOptions options, PeerSender self, INodeEnvironment environment, PeerOutbox outbox,
        LeaderFitness fitness, Connectivity connectivity, IClusterHost host)
    {
        _settings = settings;
        _options = options;
        _environment = environment;
        _clock = environment.Clock;
        _outbox = outbox;
        _fitness = fitness;
        _connectivity = connectivity;
        _host = host;
        _startMs = _clock.MonotonicMs;
        _ownRecord = new NodeRecord(
            self.Replica, self.Boot, environment.Random.NextUInt64(), settings.Rack, settings.Listeners, settings.FeatureMin, settings.FeatureMax);
        _link = new ControllerLink(self, _ownRecord.StartId, outbox);
        _requests = new AdminRequests(State, _leaders, fitness, _link, _clock, () => Applied, PublishWhenDue);
        _formation = new Formation(self.Replica, settings.InitialNodes);
        _joining = new Joining(settings.Seeds, environment);
        _keeper = new ControllerKeeper(settings.Self, State, options.Limits.Movements, IsAlive, HasRoom, environment);
        _balance = new BalanceKeeper(State, options.Limits.Movements, IsAlive, HasRoom, group => _leaders.Image.ContainsKey(group));
        _claims = new ClusterClaims(settings.Self, settings.InitialNodes);
    }

    public ClusterState State { get; } = new();

    /// <summary>The cluster's state here holds what this node said of itself after this start.</summary>
    public bool IsRegistered =>
        State.IsFormed && State.Nodes.TryGetValue(_settings.Self, out NodeRecord? known) && known.Equals(_ownRecord);

    /// <summary>The data folder holds no group, damaged ones included: this node may help to form a first cluster.</summary>
    public bool IsEmpty { get; set; } = true;

    public NodeId? ControllerLeader => _controller is null ? _joining.ControllerLeader : _controller.Leader?.Node;

    /// <summary>Why this node is not part of a cluster yet, when that is known.</summary>
    public string? WaitsBecause => _controller is null ? _joining.WaitsBecause : null;

    /// <summary>A node of a cluster that this one may join was found at one of its seeds' addresses.</summary>
    public void SeedFound(NodeId node) => _joining.Met(node);

    /// <summary>This node's replica of the controller group exists now.</summary>
    public void ControllerOpened(Replica controller)
    {
        _controller = controller;
        _link.Local = (ControllerMachine)controller.Machine;
        _groupsDue = true;
    }

    public long SilentForMs(NodeId node) => _liveness.SilentForMs(node, _clock.MonotonicMs, _startMs);

    /// <summary>For new replicas.</summary>
    public bool HasRoom(NodeId node) => _fitness.HasRoom(node);

    public bool IsAlive(NodeId node) => node == _settings.Self || _liveness.IsAlive(node);

    public void Received(in PeerSender from, PeerMessage message)
    {
        long now = _clock.MonotonicMs;
        NodeId node = from.Replica.Node;
        if (IsStranger(from.Replica, now))
        {
            // Not the node that the cluster knows by that number: it may ask to be taken in, and nothing else.
            if (message is not (PeerMessage.Formation or PeerMessage.Member or PeerMessage.Request))
            {
                return;
            }
        }
        else if (_liveness.Heard(from.Replica, from.Boot, now))
        {
            _imageDue = true;
            _host.WakeGroupsOf(node);
            AnnounceAllTo(node);
        }

        switch (message)
        {
            case PeerMessage.Formation said:
                FormationHeard(from.Replica, said);
                break;
            case PeerMessage.Introduction introduction when _controller is null && IsEmpty:
                if (_joining.Introduced(introduction) is { } conflict)
                {
                    _host.RefusedByCluster(conflict);
                }

                break;
            // Before the first entry is known here, the cluster that knows this folder is the only one that it can belong to: it may have been removed
            // as soon as it was registered, and no leader will ever speak to its replica then.
            case PeerMessage.Removed removed when removed.Whom == _ownRecord.Replica && (!State.IsFormed || removed.ClusterId == State.ClusterId):
                _host.RefusedByCluster(NodeDecisions.RemovedText(_settings.Self));
                break;
            case PeerMessage.Member member:
                ClaimHeard(from.Replica, member.ClusterId);
                break;
            case PeerMessage.Leading leading:
                LeadsHeard(node, leading);
                break;
            case PeerMessage.Faults faults:
                bool hadRoom = _fitness.HasRoom(node);
                _fitness.Heard(node, faults, now);
                _imageDue |= hadRoom != _fitness.HasRoom(node);
                break;
            case PeerMessage.Hearing hearing when OtherNodes().Contains(node):
                HearingSaid(node, hearing);
                break;
            case PeerMessage.Request request:
                _link.Requested(from.Replica, request);
                break;
            case PeerMessage.Response response:
                _link.Responded(response, now);
                break;
        }
    }

    /// <summary>The connection broke.</summary>
    public void Doubt(NodeId node)
    {
        _imageDue |= _liveness.Doubt(node);
        PublishWhenDue();
    }

    /// <summary>The connection was reset and refused.</summary>
    public void Lost(NodeId node)
    {
        if (_liveness.Lost(node))
        {
            _imageDue = true;
            _host.WakeGroupsOf(node);
        }
    }

    public void Tick()
    {
        long now = _clock.MonotonicMs;
        if (now >= _nextHeartbeatMs)
        {
            _nextHeartbeatMs = now + HeartbeatMs;
            foreach (NodeId node in OtherNodes())
            {
                _outbox.Add(node, PeerMessage.Alive.Instance);
            }

            LookAtLinks(now);
        }

        if (now >= _nextAnnounceMs)
        {
            _nextAnnounceMs = now + AnnounceMs;
            AnnounceAll(now);
            _leaders.Tick(now);
        }

        FindSilent(now);
        if (_controller is null && IsEmpty && now >= _nextFormationMs)
        {
            _nextFormationMs = now + FormationMs;
            if (!TryForm())
            {
                AnnounceEmpty();
            }
        }

        _link.Tick(ControllerLeader, now);
        RegisterWhenNeeded(now);
        LeadController();
        _requests.Answer();
        PublishWhenDue();
    }

    private void HearingSaid(NodeId node, PeerMessage.Hearing said)
    {
        if (!_connectivity.Said(node, said))
        {
            return;
        }

        // Whoever hears this node anew, or not any more, may have lost its word.
        _outbox.Add(node, _connectivity.Announcement);
        if (_connectivity.IsHeardBy(node))
        {
            _host.ContactMade();
        }
    }

    /// <summary>With each beat: whom this node hears and misses, said when it changes and now and then.</summary>
    private void LookAtLinks(long now)
    {
        bool isMember = State.IsFormed && State.IsMember(_ownRecord.Replica);
        if (!_connectivity.Look(OtherNodes(), _liveness.IsHeard, isMember, now) && now < _nextHearingMs)
        {
            return;
        }

        _nextHearingMs = now + Connectivity.RepeatMs;
        foreach (NodeId node in OtherNodes())
        {
            _outbox.Add(node, _connectivity.Announcement);
        }
    }

    /// <summary>What speaks against this node's replicas as leaders is different now: the others should know before the next announcement.</summary>
    public void FaultsChanged()
    {
        _imageDue = true;
        foreach (NodeId node in OtherNodes())
        {
            _outbox.Add(node, _fitness.Announcement);
        }
    }

    public void Administer(AdminCommand command, long deadlineMs, IAdminCompletion completion) =>
        _requests.Ask(command, ControllerLeader, deadlineMs, completion);

    /// <summary>Said to the controller's leader, once: who says it looks whether it was heard.</summary>
    public void Tell(ControllerRequest request)
    {
        long now = _clock.MonotonicMs;
        _link.Ask(request, ControllerLeader, now, now + TellDeadlineMs, static _ => { });
    }

    void IClusterFollower.ClusterChanged(ClusterState state, ClusterCommand? command, LogIndex index)
    {
        _reconcileDue = true;
        _groupsDue = true;
        _imageDue = true;
        if (_controller is { IsServing: true })
        {
            _keeper.Applied(command);
        }
    }

    /// <summary>
    /// Once per turn, at its end: a turn may apply many commands, and with many partitions each look at all of them is work. True when there was
    /// something to do; replicas may have work then.
    /// </summary>
    public bool ReconcileWhenDue()
    {
        if (!_reconcileDue)
        {
            return false;
        }

        _reconcileDue = false;
        _host.Reconcile(State);
        return true;
    }

    /// <summary>A replica here has another leader, or lost it.</summary>
    public void LeadershipChanged(GroupId group, bool isLeader, NodeId? leader, int epoch, ImmutableArray<NodeId> inSync)
    {
        if (isLeader)
        {
            _imageDue |= _leaders.Learn(group, new LeaderInfo(_settings.Self, epoch, inSync), _clock.MonotonicMs);
            var announcement = new PeerMessage.Leading([new GroupLead(group, epoch, inSync)]);
            foreach (NodeId node in OtherNodes())
            {
                _outbox.Add(node, announcement);
            }
        }
        else if (leader is null)
        {
            _imageDue |= _leaders.Forget(group, epoch);
        }
    }

    public void PublishWhenDue()
    {
        if (_groupsDue)
        {
            _groupsDue = false;
            PlaceGroups();
        }

        if (!_imageDue)
        {
            return;
        }

        _imageDue = false;
        ImmutableSortedDictionary<NodeId, NodeInfo>.Builder nodes = ImmutableSortedDictionary.CreateBuilder<NodeId, NodeInfo>();
        foreach ((NodeId id, NodeRecord record) in State.Nodes)
        {
            nodes[id] = new NodeInfo(
                record.Replica, record.Rack, record.Listeners, record.FeatureMin, record.FeatureMax, IsAlive(id))
            {
                Duty = State.Roster.DutyOf(id),
                HasRoom = HasRoom(id),
            };
        }

        string clusterId = State.IsFormed ? State.ClusterId.ToString("x32") : "";
        _host.Publish(new ClusterImage(
            clusterId, ControllerLeader, State.FeatureLevel, nodes.ToImmutable(), State.Topics, _leaders.Image)
        {
            ControllerVoters = [.. (_controller?.Membership.Voters ?? []).Select(v => v.Node)],
            Expected = State.Roster.Expected,
            Removed = State.Roster.Removed,
            IsBalancing = State.IsBalancing,
        });
    }

    public void ControllerLeaderChanged() => _imageDue = true;

    /// <summary>Of the controller group; without one here there is nothing to wait for.</summary>
    private LogIndex Applied => _controller?.Applied ?? new LogIndex(long.MaxValue);

    private void FormationHeard(ReplicaId from, PeerMessage.Formation said)
    {
        if (_controller is null && !IsEmpty)
        {
            // A controller group lies here and does not start (DETECTED): it must not be made anew.
            return;
        }

        if (_controller is null)
        {
            // Telling the others what this folder holds is the tick's: an answer to each word would be answered in turn, without end.
            _formation.Heard(from, said);
            TryForm();
        }
        else if (said.Voters.Count == 0)
        {
            AnswerEmpty(from);
        }
    }

    /// <summary>
    /// A node with an empty folder. A first voter forms what the others formed. Any other one is told where to register: what is known here may
    /// be old, and the controller's leader decides.
    /// </summary>
    private void AnswerEmpty(ReplicaId from)
    {
        if (!State.IsFormed || (State.FirstVoters.Contains(from) && !State.Roster.Removed.Contains(from)))
        {
            if (FormedAs() is { } formed)
            {
                _outbox.Add(from.Node, new PeerMessage.Formation(formed.ControllerGroup, formed.Voters));
            }
        }
        else
        {
            _outbox.Add(from.Node, new PeerMessage.Introduction(
                State.ClusterId, _controller!.Group, ControllerLeader,
                [.. State.Nodes.Values.Select(PlaceOf).OfType<PeerPlace>().Take(NodeDecisions.NodesMax)]));
        }
    }

    private static PeerPlace? PlaceOf(NodeRecord node) =>
        node.Listeners.FirstOrDefault(l => l.Name == ListenerAddress.Peers) is { } peers
            ? new PeerPlace(node.Replica.Node, peers.Host, peers.Port)
            : new PeerPlace(node.Replica.Node, "", 0);

    /// <summary>
    /// The cluster knows that number by another folder, or not any more. A removed one is told so: its own copy of the controller group can't
    /// know.
    /// </summary>
    private bool IsStranger(ReplicaId from, long now)
    {
        if (!State.IsFormed || State.IsMember(from))
        {
            return false;
        }

        bool isRemoved = State.Roster.Removed.Contains(from);
        if (!isRemoved && !State.Nodes.ContainsKey(from.Node))
        {
            return false;
        }

        bool isDue = _strangers.TryGetValue(from, out long dueMs) ? now >= dueMs : _strangers.Count < StrangersMax;
        if (isDue)
        {
            _strangers[from] = now + StrangerMs;
            _outbox.Add(from.Node, isRemoved ? new PeerMessage.Removed(State.ClusterId, from) : new PeerMessage.Member(State.ClusterId));
        }

        return true;
    }

    /// <summary>Before the first entry is known here, the group's members are the first voters still.</summary>
    private FormedCluster? FormedAs() =>
        _formed ?? FormedCluster.Of(State.IsFormed ? State.FirstVoters : _controller!.Membership.Voters);

    /// <summary>False while this node still waits for the others.</summary>
    private bool TryForm()
    {
        if (_joining.IsIntroduced)
        {
            return false;
        }

        if (_formation.TryForm() is { } formed)
        {
            _formed = formed;
            _host.OpenController(formed);
            return true;
        }

        if (_formation.Refusal is { } refusal)
        {
            _host.RefusedByCluster(refusal);
            return true;
        }

        return false;
    }

    private void AnnounceEmpty()
    {
        foreach (NodeId node in OtherNodes())
        {
            _outbox.Add(node, Formation.Empty);
        }
    }

    private void LeadsHeard(NodeId node, PeerMessage.Leading leading)
    {
        foreach (GroupLead lead in leading.Groups)
        {
            _imageDue |= _leaders.Learn(lead.Group, new LeaderInfo(node, lead.Epoch, [.. lead.InSync]), _clock.MonotonicMs);
        }
    }

    /// <summary>Who leads what is of interest for the groups that the cluster has.</summary>
    private void PlaceGroups()
    {
        var groups = new HashSet<GroupId>();
        if (_controller is { } controller)
        {
            groups.Add(controller.Group);
        }

        foreach (TopicInfo topic in State.Topics.Values)
        {
            foreach (PartitionInfo partition in topic.Partitions)
            {
                groups.Add(partition.Group);
            }
        }

        _imageDue |= _leaders.Place(groups);
    }

    private void ClaimHeard(ReplicaId from, UInt128 cluster)
    {
        bool isNews = _claims.Heard(from, cluster);
        if (!State.IsFormed || cluster == State.ClusterId)
        {
            return;
        }

        if (isNews)
        {
            _environment.Report(new NodeEvent(
                NodeEventKind.NodeOfAnotherCluster, ClusterClaims.Warning(from.Node, cluster, State.ClusterId),
                [("node", from.Node.Value), ("cluster", cluster.ToString("x32"))]));
        }

        if (_claims.RefusalFor(State.ClusterId) is { } refusal)
        {
            _host.RefusedByCluster(refusal);
        }
    }

    private void AnnounceAll(long now)
    {
        var leads = new List<GroupLead>();
        _host.CollectLeads(leads);
        foreach (NodeId node in OtherNodes())
        {
            if (IsAlive(node))
            {
                AnnounceTo(node, leads);
            }
        }

        // Said to this node itself too: what was learned before its group was placed here may have been dropped.
        foreach (GroupLead lead in leads)
        {
            _imageDue |= _leaders.Learn(lead.Group, new LeaderInfo(_settings.Self, lead.Epoch, [.. lead.InSync]), now);
        }
    }

    private void AnnounceAllTo(NodeId node)
    {
        var leads = new List<GroupLead>();
        _host.CollectLeads(leads);
        AnnounceTo(node, leads);
    }

    private void AnnounceTo(NodeId node, List<GroupLead> leads)
    {
        if (State.IsFormed)
        {
            _outbox.Add(node, new PeerMessage.Member(State.ClusterId));
        }

        if (leads.Count > 0)
        {
            _outbox.Add(node, new PeerMessage.Leading(leads));
        }

        _outbox.Add(node, _fitness.Announcement);
        _outbox.Add(node, _connectivity.Announcement);
    }

    private void FindSilent(long now)
    {
        _silent.Clear();
        _liveness.FindSilent(now, _silent);
        foreach (NodeId node in _silent)
        {
            _imageDue = true;
            _host.WakeGroupsOf(node);
        }
    }

    private void RegisterWhenNeeded(long now)
    {
        bool mayRegister = _controller is not null || (_joining.IsIntroduced && IsEmpty);
        if (_registering || now < _nextRegisterMs || !mayRegister || ControllerLeader is null || IsRegistered)
        {
            return;
        }

        _registering = true;
        _nextRegisterMs = now + RegisterAgainMs;
        var request = new ControllerRequest.Register(_ownRecord);
        _link.Ask(request, ControllerLeader, now, now + RegisterDeadlineMs, response =>
        {
            _registering = false;
            if (response.Result is { Outcome: AdminOutcome.Refused, Message: { } reason })
            {
                _host.RefusedByCluster(_controller is null
                    ? $"Node {_settings.Self.Value}'s data folder is empty, and the cluster does not take it in. {reason}"
                    : reason);
            }
            else if (_controller is null)
            {
                Joins(response.Result);
            }
        });
    }

    /// <summary>The controller's leader answered a node that is not in its cluster yet.</summary>
    private void Joins(AdminResult result)
    {
        if (result.Outcome == AdminOutcome.Done)
        {
            // Bound to that cluster by its records: only now may this folder hold anything of it.
            _host.JoinController(_joining.Cluster!.ControllerGroup, _joining.Cluster.ClusterId);
        }
        else
        {
            _joining.Waits(result.Message ?? "The cluster's controller did not answer.");
        }
    }

    /// <summary>What the controller's leader does by itself: forms the cluster, creates the internal topic, raises the feature level.</summary>
    private void LeadController()
    {
        if (_controller is not { IsServing: true, Machine: ControllerMachine machine })
        {
            return;
        }

        if (!State.IsFormed)
        {
            ImmutableArray<ReplicaId> voters = _formed?.Voters ?? [.. _controller.Membership.Voters];
            machine.TryPropose(new ClusterCommand.ClusterFormed(
                _environment.Random.NextUInt128(), _settings.FeatureMin, voters));
            return;
        }

        if (!State.FirstVoters.All(v => State.Nodes.ContainsKey(v.Node) || State.Roster.Removed.Contains(v)))
        {
            // Before all have said what they speak, nothing is decided that one of them might not.
            return;
        }

        _keeper.Keep(_controller, machine, _clock.MonotonicMs);
        _balance.Keep(machine, _clock.MonotonicMs);

        int common = State.Nodes.Values.Where(n => !PlantedBug.LevelOfVotersOnly || _controller.Membership.IsVoter(n.Replica))
            .Select(n => n.FeatureMax).DefaultIfEmpty(State.FeatureLevel).Min();
        if (common > State.FeatureLevel)
        {
            machine.TryPropose(new ClusterCommand.FeatureLevelFinalized(common));
            return;
        }

        if (!State.Topics.ContainsKey(Groups.OffsetsTopic.Name) && !machine.IsBusy)
        {
            machine.Request(
                new ControllerRequest.Administer(new AdminCommand.CreateTopic(
                    Groups.OffsetsTopic.Name, _options.OffsetsPartitions, ReplicationFactor: -1, [],
                    ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), ValidateOnly: false,
                    Internal: true)),
                id: null, static _ => { });
        }
    }

    /// <summary>Of the cluster, and those that it was formed with or that are met while it is not known yet.</summary>
    public IEnumerable<NodeId> OtherNodes()
    {
        IEnumerable<NodeId> told = IsRegistered ? [] : _settings.InitialNodes.Union(_joining.Known);
        return State.Nodes.Keys.Union(told).Where(n => n != _settings.Self);
    }
}
