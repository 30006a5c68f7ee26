using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Coverage;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Space;

namespace RaftMq.Simulation.World;

/// <summary>Looks into the replicas from time to time, for the promises that are about the inside: what each considers committed.</summary>
internal sealed class ReplicaInspector(SimulationWorld world, IReadOnlyList<SimulatedNode> nodes) : IReplicaVisitor
{
    private readonly Dictionary<(NodeId Node, int Life, GroupId Key), LogIndex> _seenUpTo = [];
    private readonly Dictionary<(NodeId Node, int Life, GroupId Key), Role> _roles = [];
    private readonly Dictionary<(NodeId Node, int Life, string Limit), long> _used = [];
    private readonly Dictionary<NodeId, long> _hinderedAtUs = [];

    /// <summary>As last looked at.</summary>
    private readonly Dictionary<NodeId, ClusterImage> _images = [];
    private const string GroupsFolder = "groups";

    /// <summary>A disk that was slow a moment ago has work left from then.</summary>
    private const long HinderedForUs = 3_000_000;

    /// <summary>At the end: what the replicas of one node lie under.</summary>
    private readonly List<GroupId> _keys = [];
    private SimulatedNode _node = nodes[0];
    private bool _isAtEnd;
    private bool _isDescribing;

    public void Every(long us) => world.After(us, () =>
    {
        foreach (SimulatedNode node in nodes)
        {
            Look(node);
        }

        Every(us);
    });

    /// <summary>A leader without followers says nothing to anybody: what it decided is seen here only.</summary>
    public void LookAtLeaders()
    {
        foreach (SimulatedNode node in nodes)
        {
            if (node.Host is { } host)
            {
                host.Inspect(new LeaderVisitor(world, host));
            }
        }
    }

    /// <summary>All replicas of each group have committed and applied equally far.</summary>
    public bool IsSettled
    {
        get
        {
            EndVisitor ends = new();
            foreach (SimulatedNode node in nodes)
            {
                node.Host?.Inspect(ends);
            }

            return ends.AreEqual;
        }
    }

    /// <summary>When all is over and nothing is on its way.</summary>
    public void AtEnd()
    {
        _isAtEnd = true;
        foreach (SimulatedNode node in nodes)
        {
            if (!node.IsWanted)
            {
                continue;
            }

            if (!node.IsUp)
            {
                world.History.Violated("liveness", $"{node.Id} is down at the end");
                return;
            }

            _keys.Clear();
            Look(node);
            LookForFilesOfOthers(node);
            LookForDamage(node);
            world.History.Add(new HistoryEvent.ReserveAtEnd(node.Id, ReserveFile.LengthOf(node.Medium), world.Space.ReserveBytes));
        }
    }

    /// <summary>What a node gave up, deleted topics and moved replicas, must be gone from its disk.</summary>
    private void LookForFilesOfOthers(SimulatedNode node)
    {
        foreach (string name in node.Medium.FolderExists(GroupsFolder) ? node.Medium.List(GroupsFolder) : [])
        {
            if (!_keys.Any(key => name.EndsWith(key.ToString(), StringComparison.Ordinal)))
            {
                world.History.Violated("liveness", $"{node.Id} has files of a group that it has no replica of: {name}");
            }
        }
    }

    /// <summary>All that was damaged must have been found, and mended.</summary>
    private void LookForDamage(SimulatedNode node)
    {
        if (node != world.DamagedNode)
        {
            // What a power cut would leave now, as its owner would look at it before the next start.
            if (FolderJudge.Fault(node.Medium.DurableView()) is { } imagined)
            {
                world.History.Violated("DETECTED", $"{node.Id}: nothing was damaged, and in the end {imagined}");
            }

            return;
        }

        LatentErrorDisk asStarted = new(node.Medium, static _ => { });
        foreach (string folder in node.Medium.List(GroupsFolder))
        {
            string path = $"{GroupsFolder}/{folder}";
            if (WatchedDisk.KeyOf($"{path}/") is { } key && FolderJudge.Fault(asStarted, path, key, at => NobodyHasBase(node, path, at)) is { } fault)
            {
                world.History.Violated("DETECTED", $"{node.Id}: in the end {fault}");
                return;
            }
        }
    }

    /// <summary>The others have cut their logs behind it: it can't come from anybody, and goes with what it is the base of.</summary>
    private bool NobodyHasBase(SimulatedNode node, string path, LogIndex at) =>
        nodes.All(other => other == node || !other.Medium.FileExists(CheckpointFile.Path(path, CheckpointKind.Base, at)));

    /// <summary>After a violation: what every replica looks like, into the trace.</summary>
    public void Describe()
    {
        if (world.Trace.IsVerbose)
        {
            _isDescribing = true;
            foreach (SimulatedNode node in nodes)
            {
                Look(node);
            }
        }
    }

    public void Visit(in ReplicaView replica)
    {
        if (_isDescribing)
        {
            world.Trace.Add(world.NowUs, TraceKind.Observed, $"{_node.Id}: {replica.Describe()}");
            return;
        }

        if (replica.IsLeader)
        {
            world.History.Add(new HistoryEvent.LeaderSeen(replica.Group, replica.Term, _node.Id));
        }

        if (replica.IsLeader && _node.Medium.CapacityBytesMax != long.MaxValue)
        {
            world.History.Add(new HistoryEvent.LeaderEndSeen(
                _node.Id, _node.Life!.Number, replica.Group, replica.Term, replica.NextOffset, world.NowUs));
        }

        if (replica.LogStart is { } start && start.Log > start.State)
        {
            world.History.Violated(
                "VISIBLE", $"{_node.Id}, group {replica.Group}: its log begins at {start.Log}, and what was decided is {start.State}");
        }

        if (replica.LogStart is { } begins)
        {
            // A leader without followers says it to nobody.
            world.History.SeeLogStart(replica.Group, _node.Id, begins.State, world.LatestUnixMs);
        }

        if (replica.Key != replica.Group && replica.Role != Role.Learner && _node.Host?.MembershipOf(replica.Group) is (_, var membershipAt))
        {
            world.History.Add(new HistoryEvent.VoterSeen(_node.Id, replica.Key, replica.Role, membershipAt));
        }

        NoteRole(replica);
        (NodeId, int, GroupId) key = (_node.Id, _node.Life!.Number, replica.Key);
        LogIndex from = _seenUpTo.GetValueOrDefault(key);
        for (LogIndex index = from.Next; index <= replica.Commit; index = index.Next)
        {
            if (replica.TermAt(index) is { } term)
            {
                world.History.Add(new HistoryEvent.EntryCommitted(_node.Id, replica.Group, index, term));
            }
        }

        if (replica.Commit < from)
        {
            world.History.Violated("committed prefix", $"{_node.Id}, group {replica.Group}: commit went back from {from} to {replica.Commit}");
        }

        _seenUpTo[key] = replica.Commit;
        if (_isAtEnd)
        {
            _keys.Add(replica.Key);
            world.History.Add(new HistoryEvent.ReplicaAtEnd(_node.Id, replica.Group, replica.Commit, replica.NextOffset));
            world.History.Add(new HistoryEvent.StateAtEnd(_node.Id, replica.Group, replica.Key, replica.Applied, replica.HashState()));
            if (replica.Counters is { } counters)
            {
                world.History.Add(new HistoryEvent.CountersAtEnd(
                    _node.Id, replica.Group, counters.Accepted, counters.Visible, counters.Offsets));
            }
        }
    }

    public void VisitDamaged(GroupId group, string report)
    {
        if (_node != world.DamagedNode && !world.SpoiltGroups.Contains(group))
        {
            world.History.Violated("DETECTED", $"{_node.Id} refuses to start group {group}, though nothing was damaged: {report}");
        }
        else if (_isAtEnd)
        {
            world.History.Violated("DETECTED", $"{_node.Id}: group {group} is damaged at the end: {report}");
        }
    }

    private void NoteRole(in ReplicaView replica)
    {
        (NodeId, int, GroupId) key = (_node.Id, _node.Life!.Number, replica.Key);
        if (_roles.TryGetValue(key, out Role before) && before != replica.Role)
        {
            world.Coverage.Hit(CoverageKind.Transition, RoleChange.Name(before, replica.Role));
        }

        _roles[key] = replica.Role;
    }

    private sealed class EndVisitor : IReplicaVisitor
    {
        private readonly Dictionary<GroupId, (LogIndex Last, LogIndex Commit, LogIndex Applied)> _ends = [];

        public bool AreEqual { get; private set; } = true;

        public void Visit(in ReplicaView replica)
        {
            (LogIndex, LogIndex, LogIndex) end = (replica.Last, replica.Commit, replica.Applied);
            AreEqual &= replica.Commit == replica.Last && (_ends.TryAdd(replica.Group, end) || _ends[replica.Group] == end);
        }

        public void VisitDamaged(GroupId group, string report) => AreEqual = false;
    }

    private sealed class LeaderVisitor(SimulationWorld world, IBrokerHost host) : IReplicaVisitor
    {
        public void Visit(in ReplicaView replica)
        {
            if (replica.IsLeader && host.Self is { } self && host.LeaderOf(replica.Group) is { } view)
            {
                world.History.Add(view.Of(self, replica.Group));
            }
        }

        public void VisitDamaged(GroupId group, string report)
        {
            // Leads nothing.
        }
    }

    private void Look(SimulatedNode node)
    {
        if (node.Life is { } life && node.Host is { } host)
        {
            _node = node;
            SimulationWorld.RunInside(life, () => host.Inspect(this));
            LookAtLevel(node, host);
            LookAtFolders(node, host);
            LookAtRoom(node, life);
            LookAtLimits(node, life, host);
        }
    }

    private void LookAtLevel(SimulatedNode node, IBrokerHost host)
    {
        if (host.Levels is { } levels)
        {
            world.History.Add(new HistoryEvent.FeatureLevelKnown(node.Id, levels.Cluster, levels.Oldest, node.FeatureMax, _isAtEnd));
        }
    }

    private void LookAtFolders(SimulatedNode node, IBrokerHost host)
    {
        ClusterImage image = host.Broker.Cluster;
        if (!_images.TryGetValue(node.Id, out ClusterImage? before) || !ReferenceEquals(before, image))
        {
            _images[node.Id] = image;
            foreach ((NodeId id, NodeInfo known) in image.Nodes)
            {
                if (before is null || !before.Nodes.TryGetValue(id, out NodeInfo? told) || told.Replica != known.Replica)
                {
                    world.History.Add(new HistoryEvent.FolderKnown(node.Id, known.Replica, image.Removed));
                }
            }
        }
    }

    private void LookAtRoom(SimulatedNode node, NodeLife life)
    {
        if (life.IsPaused || node.Pace.IsStalled(world.NowUs) || Enum.GetValues<DiskLane>().Any(lane => node.Pace.SlownessOf(lane) > 1))
        {
            _hinderedAtUs[node.Id] = world.NowUs;
        }

        bool canLook = !_hinderedAtUs.TryGetValue(node.Id, out long atUs) || world.NowUs - atUs > HinderedForUs;
        world.History.Add(new HistoryEvent.RoomSeen(
            node.Id, life.Number, node.Medium.FreeBytes(""), world.Space.FreeBytesMin, canLook, world.NowUs));
    }

    private void LookAtLimits(SimulatedNode node, NodeLife life, IBrokerHost host)
    {
        foreach (LimitUse use in host.Limits())
        {
            (NodeId, int, string) key = (node.Id, life.Number, use.Limit);
            if (use.Used > _used.GetValueOrDefault(key))
            {
                _used[key] = use.Used;
                world.History.Add(new HistoryEvent.LimitSeen(node.Id, use.Limit, use.Used, use.Max));
            }
        }
    }
}
