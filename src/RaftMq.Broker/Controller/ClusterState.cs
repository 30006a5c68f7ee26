using System.Collections.Immutable;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// The controller group's replicated state: changes only by <see cref="Apply"/>, the same on every node. Immutable parts, so that
/// an image of it costs nothing.
/// </summary>
internal sealed class ClusterState
{
    private const byte SnapshotVersion = 3;

    /// <summary>Without the terms in which movements settled.</summary>
    private const byte SnapshotVersionWithoutTerms = 2;

    /// <summary>Without the balance, and without what nodes were answered.</summary>
    private const byte SnapshotVersionFirst = 1;

    public UInt128 ClusterId { get; private set; }

    /// <summary>The controller group's first voters; empty until the cluster is formed.</summary>
    public ImmutableArray<ReplicaId> FirstVoters { get; private set; } = [];

    /// <summary>What all nodes may write and send; 0 until the cluster is formed.</summary>
    public int FeatureLevel { get; private set; }

    /// <summary>Producer ids below this one were handed out.</summary>
    public long NextProducerId { get; private set; } = 1;

    public ImmutableSortedDictionary<NodeId, NodeRecord> Nodes { get; private set; } =
        ImmutableSortedDictionary<NodeId, NodeRecord>.Empty;

    public ImmutableSortedDictionary<string, TopicInfo> Topics { get; private set; } =
        ImmutableSortedDictionary.Create<string, TopicInfo>(StringComparer.Ordinal);

    /// <summary>The controller's leader makes placement even, until nothing is left to do or an operator stops it.</summary>
    public bool IsBalancing { get; private set; }

    /// <summary>Which nodes come and go.</summary>
    public NodeRoster Roster { get; } = new();

    /// <summary>What nodes were answered lately.</summary>
    public RequestMemory Requests { get; } = new();

    public bool IsFormed => FeatureLevel > 0;

    /// <summary>Whether the cluster knows exactly this node with this folder.</summary>
    public bool IsMember(ReplicaId replica) => Nodes.TryGetValue(replica.Node, out NodeRecord? known) && known.Replica == replica;

    /// <summary>What that number stands for now.</summary>
    public NodeAsKnown Known(NodeId node) => Nodes.TryGetValue(node, out NodeRecord? known)
        ? new NodeAsKnown(known.Replica.Store, ExpectedUntilMs: 0)
        : new NodeAsKnown(Folder: null, Roster.Expected.GetValueOrDefault(node));

    /// <summary>Partitions that have, or may still have, a replica on that node.</summary>
    public IEnumerable<(TopicInfo Topic, PartitionInfo Partition)> PartitionsOn(NodeId node)
    {
        foreach (TopicInfo topic in Topics.Values)
        {
            foreach (PartitionInfo partition in topic.Partitions)
            {
                if (partition.IsPlacedOn(node))
                {
                    yield return (topic, partition);
                }
            }
        }
    }

    public TopicInfo? TopicById(UInt128 id)
    {
        foreach (TopicInfo topic in Topics.Values)
        {
            if (topic.Id == id)
            {
                return topic;
            }
        }

        return null;
    }

    /// <summary>Writes down what the leader decided; what comes back is what who asked for it is told.</summary>
    public AdminResult Apply(ClusterCommand command)
    {
        ClusterCommand? change = command is ClusterCommand.RequestAnswered asked ? asked.Change : command;
        long number = change is null ? 0 : Change(change);
        TopicInfo? topic = (change as ClusterCommand.TopicCreated)?.Topic;
        if (command is not ClusterCommand.RequestAnswered answered)
        {
            return new AdminResult(AdminOutcome.Done, Number: number, Topic: topic);
        }

        Requests.Remember(
            answered.Node, answered.Number, answered.LowestOpen, new RememberedAnswer(answered.Outcome, answered.Message, number, topic?.Id ?? 0));
        return new AdminResult(answered.Outcome, answered.Message, number, topic);
    }

    public void WriteSnapshot(ByteWriter writer)
    {
        writer.Byte(SnapshotVersion);
        writer.UInt128(ClusterId);
        writer.Int32(FeatureLevel);
        ClusterCodec.WriteReplicas(writer, FirstVoters);
        writer.Int64(NextProducerId);
        writer.Int32(Nodes.Count);
        foreach (NodeRecord node in Nodes.Values)
        {
            node.Write(writer);
        }

        writer.Int32(Topics.Count);
        foreach (TopicInfo topic in Topics.Values)
        {
            ClusterCodec.WriteTopic(writer, topic);
        }

        Roster.Write(writer);
        writer.Bool(IsBalancing);
        Requests.Write(writer);
        foreach (TopicInfo topic in Topics.Values)
        {
            ClusterCodec.WriteSettledTerms(writer, topic);
        }
    }

    /// <summary>False when the bytes are not a snapshot of a version this node knows; the state is then unchanged.</summary>
    public bool TryReadSnapshot(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        byte version = reader.Byte();
        if (version is not (SnapshotVersion or SnapshotVersionWithoutTerms or SnapshotVersionFirst))
        {
            return false;
        }

        UInt128 clusterId = reader.UInt128();
        int featureLevel = reader.Int32();
        ImmutableArray<ReplicaId> firstVoters = ClusterCodec.ReadReplicas(ref reader);
        long nextProducerId = reader.Int64();
        ImmutableSortedDictionary<NodeId, NodeRecord>.Builder nodes =
            ImmutableSortedDictionary.CreateBuilder<NodeId, NodeRecord>();
        for (int count = reader.Count(bytesEachMin: 41); count > 0; count--)
        {
            NodeRecord node = NodeRecord.Read(ref reader);
            if (!nodes.TryAdd(node.Replica.Node, node))
            {
                reader.Fail();
            }
        }

        ImmutableSortedDictionary<string, TopicInfo>.Builder topics =
            ImmutableSortedDictionary.CreateBuilder<string, TopicInfo>(StringComparer.Ordinal);
        for (int count = reader.Count(bytesEachMin: 29); count > 0; count--)
        {
            TopicInfo topic = ClusterCodec.ReadTopic(ref reader);
            if (!topics.TryAdd(topic.Name, topic))
            {
                reader.Fail();
            }
        }

        var roster = NodeRoster.Read(ref reader);
        bool isBalancing = version != SnapshotVersionFirst && reader.Bool();
        RequestMemory requests = version != SnapshotVersionFirst ? RequestMemory.Read(ref reader) : new RequestMemory();
        if (version == SnapshotVersion)
        {
            foreach (TopicInfo topic in topics.ToImmutable().Values)
            {
                topics[topic.Name] = ClusterCodec.WithSettledTerms(ref reader, topic);
            }
        }

        if (!reader.AtEnd)
        {
            return false;
        }

        (ClusterId, FeatureLevel, FirstVoters, NextProducerId) = (clusterId, featureLevel, firstVoters, nextProducerId);
        (Nodes, Topics) = (nodes.ToImmutable(), topics.ToImmutable());
        Roster.Take(roster);
        IsBalancing = isBalancing;
        Requests.Take(requests);
        return true;
    }

    /// <summary>The number is the command's own result (first producer id), else 0.</summary>
    private long Change(ClusterCommand command)
    {
        switch (command)
        {
            case ClusterCommand.ClusterFormed formed:
                // Two leaders in a row may each propose it before they saw the other's: the first one counts.
                if (!IsFormed)
                {
                    ClusterId = formed.ClusterId;
                    FeatureLevel = formed.FeatureLevel;
                    FirstVoters = formed.Voters;
                }

                return 0;
            case ClusterCommand.NodeRegistered registered:
                Nodes = Nodes.SetItem(registered.Node.Replica.Node, registered.Node);
                Roster.Registered(registered.Node.Replica.Node);
                return 0;
            case ClusterCommand.NodeExpected expected:
                Roster.Expect(expected);
                return 0;
            case ClusterCommand.NodeDutySet set:
                if (Nodes.ContainsKey(set.Node))
                {
                    Roster.SetDuty(set.Node, set.Duty);
                }

                return 0;
            case ClusterCommand.NodeRemoved removed:
                if (IsMember(removed.Replica))
                {
                    Nodes = Nodes.Remove(removed.Replica.Node);
                    Roster.Remove(removed.Replica);
                    Requests.Forget(removed.Replica);
                }

                return 0;
            case ClusterCommand.FeatureLevelFinalized finalized:
                FeatureLevel = Math.Max(FeatureLevel, finalized.Level);
                return 0;
            case ClusterCommand.TopicCreated created:
                Invariant.Holds(!Topics.ContainsKey(created.Topic.Name));
                Topics = Topics.Add(created.Topic.Name, created.Topic);
                return 0;
            case ClusterCommand.TopicDeleted deleted:
                if (TopicById(deleted.TopicId) is { } doomed)
                {
                    Topics = Topics.Remove(doomed.Name);
                }

                return 0;
            case ClusterCommand.PartitionsAdded added:
                Change(added.TopicId, topic => topic with { Partitions = topic.Partitions.AddRange(added.Partitions) });
                return 0;
            case ClusterCommand.TopicConfigsSet set:
                Change(set.TopicId, topic => topic with { Configs = set.Configs });
                return 0;
            case ClusterCommand.PreferredLeaderSet preferred:
                Change(preferred.TopicId, topic => WithPreferredLeader(topic, preferred.Partition, preferred.Node));
                return 0;
            case ClusterCommand.ProducerIdsAllocated allocated:
                long first = NextProducerId;
                NextProducerId += allocated.Count;
                return first;
            case ClusterCommand.PartitionMoved moved:
                Change(moved.TopicId, moved.Partition, partition => partition.MovedTo(moved.Replicas));
                return 0;
            case ClusterCommand.PartitionsPlaced placed:
                foreach (PlacedPartition one in placed.Placed)
                {
                    Change(one.TopicId, one.Partition, partition => partition.PlacedOn(one.Replicas));
                }

                return 0;
            case ClusterCommand.BalanceSet set:
                IsBalancing = set.IsUnderWay;
                return 0;
            case ClusterCommand.ReplicaMadeAnew anew:
                Change(anew.TopicId, anew.Partition, partition => partition.Without(anew.Replica));
                return 0;
            case ClusterCommand.PartitionSettled settled:
                Change(settled.TopicId, settled.Partition, partition =>
                    partition.Epoch == settled.Epoch ? partition.Settled(settled.At, settled.Term) : partition);
                return 0;
            default:
                throw new InvariantViolationException($"Unknown controller command {command.GetType().Name}.");
        }
    }

    private void Change(UInt128 topicId, Func<TopicInfo, TopicInfo> change)
    {
        // The topic may have been deleted between proposal and apply; then there is nothing left to change.
        if (TopicById(topicId) is { } topic)
        {
            Topics = Topics.SetItem(topic.Name, change(topic));
        }
    }

    /// <summary>Partitions only become more: a number that is not there is nobody's, and applying cannot fail.</summary>
    private void Change(UInt128 topicId, int number, Func<PartitionInfo, PartitionInfo> change) => Change(
        topicId, topic => (uint)number < (uint)topic.Partitions.Length
            ? topic with { Partitions = topic.Partitions.SetItem(number, change(topic.Partitions[number])) }
            : topic);

    private static TopicInfo WithPreferredLeader(TopicInfo topic, int number, NodeId node)
    {
        if ((uint)number >= (uint)topic.Partitions.Length)
        {
            return topic;
        }

        PartitionInfo partition = topic.Partitions[number];
        ReplicaId preferred = partition.Replicas.FirstOrDefault(r => r.Node == node);
        if (preferred == default)
        {
            return topic;
        }

        PartitionInfo reordered = partition with { Replicas = partition.Replicas.Remove(preferred).Insert(0, preferred) };
        return topic with { Partitions = topic.Partitions.SetItem(number, reordered) };
    }
}
