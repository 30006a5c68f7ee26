using RaftMq.Broker;
using RaftMq.Broker.Groups;
using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>The way of a consumer group's clients to its coordinator, through the client network.</summary>
internal sealed class CoordinatorWay(ClientSide clients, RandomSource random, string consumers)
{
    /// <summary>Where it is by what some node knows; null when that is nothing.</summary>
    public (SimulatedNode Node, GroupId Group)? Find()
    {
        if (clients.AnyNode(random).Host?.Broker.Cluster.Topics.GetValueOrDefault(OffsetsTopic.Name) is not { } topic)
        {
            return null;
        }

        int number = CoordinatorPartition.Of(new ConsumerGroupId(consumers), topic.Partitions.Length);
        GroupId group = topic.Partitions[number].Group;
        return (clients.LeaderOf(group, random).Node, group);
    }

    /// <param name="observed">As the answer leaves the node; whoever is called carries it on to the client.</param>
    /// <param name="failed">At the client: the node is not the coordinator, is not there, or said nothing. May be called after an answer too.</param>
    public void Request<TResult>(
        SimulatedNode node, Action<GroupCoordinator, long, IReply<TResult>> request, Action<TResult> observed, Action failed,
        int timeoutUs = ClientSide.RequestTimeoutUs)
    {
        clients.Network.Call(
            node,
            (_, broker) => broker.WithCoordinator(
                consumers, new Call((there, nowMs) => request(there, nowMs, new Reply<TResult>(observed)), () => clients.Network.Answer(failed))),
            failed);
        clients.World.After(timeoutUs, failed);
    }

    private sealed class Call(Action<GroupCoordinator, long> run, Action notHere) : ICoordinatorCall
    {
        public void Run(GroupCoordinator coordinator, long nowMs) => run(coordinator, nowMs);

        public void NotHere() => notHere();
    }

    private sealed class Reply<TResult>(Action<TResult> completed) : IReply<TResult>
    {
        public void Complete(TResult result) => completed(result);
    }
}
