using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Broker.Shards;

/// <summary>Puts a replica together: consensus with the product's limits, and the state machine that the group's name asks for.</summary>
internal sealed class ReplicaFactory(
    BrokerOptions options, ShardContext context, UncommittedBudget budget, GroupsConfig groupsConfig,
    ISubscriptionReader subscriptions, RandomSource random, ClusterMember? cluster)
{
    /// <summary>Two heartbeats fit in between.</summary>
    private const int ElectionTicksLeast = 5;

    public Replica Create(GroupId group, GroupName name, GroupLog log, RaftStart start)
    {
        var config = new RaftConfig
        {
            Group = group,
            Self = context.Self.Replica,
            Boot = context.Self.Boot,
            BornFrom = name is GroupName.Partition partition && !PlantedBug.FoundingMembershipForAll ? partition.BornFrom : LogIndex.Zero,
            WindowEntries = options.Limits.ReplicationWindowEntries,
            WindowBytes = options.Limits.ReplicationWindowBytes,
            AppendBytesMax = options.Limits.AppendBytes,
            ProbeBytesMax = Math.Min(RaftConfig.ProbeBytes, options.Limits.AppendBytes),
            ElectionTicksMin = Math.Max(ElectionTicksLeast, (int)(options.ElectionTimeoutMin.TotalMilliseconds / Shard.RaftTickMs)),
            UncommittedBytesMax = options.Limits.UncommittedBytesPerGroup,
            EagerCommit = name is GroupName.Controller,
        };
        log.Tail.Group = group;
        Term bornIn = name is GroupName.Partition { BornIn: var term } && !PlantedBug.PredecessorsTermForgotten ? term : Term.Zero;
        var raft = new RaftGroup(config, start.BornIn(bornIn), log.Tail, random.Split());
        return new Replica(context, group, name, log, raft, replica => MachineFor(name, replica));
    }

    /// <summary>
    /// A replica as start-up found it: its state is the checkpoint's plus every entry that is known to be committed.
    /// </summary>
    /// <exception cref="Storage.Files.DamagedException">A durable entry is not whole: the group must not start here.</exception>
    public Replica Restore(GroupId group, GroupName name, RecoveredGroup.Healthy found)
    {
        Replica replica = Create(group, name, found.Log, found.Raft);
        replica.Restore(found);
        return replica;
    }

    private IStateMachine MachineFor(GroupName name, IReplica replica) => name switch
    {
        GroupName.Controller => new ControllerMachine(
            replica, new ControllerDecisions(cluster!.State, options, random.Split(), context.Clock, cluster.IsAlive, cluster.HasRoom), cluster.State, cluster,
            context.Clock),
        GroupName.Partition { Topic: OffsetsTopic.Name } => new OffsetsPartition(
            replica, groupsConfig, subscriptions, context.Clock, random.Split()),
        GroupName.Partition partition => new Partition(
            replica, context.Clock, options.Limits, budget, context.Holds,
            PartitionConfig.BeforeStateIsKnown(partition.Topic, partition.Number)),
        _ => throw new InvariantViolationException($"No state machine for {name}."),
    };
}
