using System.Text.Json;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Movement;
using RaftMq.Raft;

namespace RaftMq.Server.Admin;

/// <summary>From what the broker knows to what the admin API says.</summary>
internal static class AdminView
{
    public static ClusterAnswer Of(ClusterImage image) => new(
        image.ClusterId, image.ControllerLeader?.Value, image.FeatureLevel,
        [.. image.Nodes.Select(node => Of(node.Key, node.Value, image))],
        [.. image.Topics.Values.Select(topic => Of(topic, image))], image.IsBalancing);

    public static TopicAnswer Of(TopicInfo topic, ClusterImage image) => new(
        topic.Name, topic.Id.ToString("x32"), topic.Internal, topic.Configs,
        [.. topic.Partitions.Select(partition => Of(partition, image.LeaderOf(partition.Group)))]);

    public static StatusAnswer Of(NodeStatus status, HttpSources sources) => new(
        status.Self.Value, sources.IsOpen(), Math.Round(sources.Sampler.MessagesPerSecond, 1),
        status.Replicas.Count(replica => replica.Role == Role.Leader), status.Replicas.Count(replica => replica.Role != Role.Leader),
        [.. status.Replicas.Select(Of)],
        [.. status.Damaged.Select(damage => new DamageAnswer(damage.Name, damage.Report, damage.IsRunning, damage.Repair))],
        sources.NotReadyBecause, status.IsJournalFull, status.Replicas.Count(replica => replica.HasNoRoom), sources.DiskFreeBytes,
        [.. status.Movements.Select(Of)], status.Room.ToString().ToLowerInvariant(), status.RoomNote, status.ReserveBytes, Of(status.Scrub));

    public static NodesAnswer NodesOf(ClusterImage image) => new(
        [.. image.Nodes.Select(node => Of(node.Key, node.Value, image))],
        [.. image.Expected.Select(expected => new ExpectedAnswer(expected.Key.Value, DateTimeOffset.FromUnixTimeMilliseconds(expected.Value)))],
        [.. image.Removed.Select(removed => new RemovedAnswer(removed.Node.Value, removed.Store.ToString()))],
        [.. image.DrainObstacles.Select(obstacle => obstacle + ".")]);

    public static BalanceAnswer BalanceOf(ClusterImage image) => new(
        image.IsBalancing, [.. image.BalanceObstacles.Select(obstacle => obstacle + ".")],
        [.. image.BalancePlan.Select(move => new BalanceMoveAnswer(
            move.Topic, move.Partition, [.. move.From.Select(node => node.Value)], [.. move.To.Select(node => node.Value)],
            [.. move.Copies.Select(node => node.Value)]))]);

    private static ScrubAnswer Of(in ScrubStatus scrub) => new(
        scrub.Bytes, scrub.Passes, scrub.LastPassAgoMs < 0 ? -1 : scrub.LastPassAgoMs / 1_000, scrub.Done, scrub.Of, scrub.Found,
        scrub.LastPassFound);

    private static NodeAnswer Of(NodeId id, NodeInfo node, ClusterImage image) => new(
        id.Value, node.Rack, node.Alive, node.FeatureMin, node.FeatureMax, node.Replica.Store.ToString(),
        [.. node.Listeners.Select(listener => new ListenerAnswer(listener.Name, listener.Host, listener.Port))],
        image.StateOf(id), image.ControllerLeader == id ? "leader" : image.ControllerVoters.Contains(id) ? "voter" : "follower",
        image.ReplicasOn(id));

    private static PartitionAnswer Of(PartitionInfo partition, LeaderInfo? leader) => new(
        partition.Number, partition.Group.ToString(), leader?.Leader.Value, leader?.Epoch,
        [.. partition.Replicas.Select(replica => replica.Node.Value)],
        leader is { } known ? [.. known.InSync.Select(node => node.Value)] : [],
        [.. partition.Adding.Select(replica => replica.Node.Value)], [.. partition.Leaving.Select(replica => replica.Node.Value)],
        partition.IsMoving);

    private static MovementAnswer Of(MovementStatus movement) => new(
        movement.Topic, movement.Partition, [.. movement.To.Select(node => node.Value)],
        JsonNamingPolicy.CamelCase.ConvertName(movement.Phase.ToString()),
        [.. movement.Learners.Select(learner => new LearnerAnswer(learner.Node.Value, learner.EntriesLeft, learner.BytesLeft))]);

    private static ReplicaAnswer Of(ReplicaStatus replica) => new(
        replica.Name, replica.Topic, replica.Partition, replica.Role.ToString().ToLowerInvariant(), replica.Term, replica.Leader?.Value,
        replica.LogStart, replica.HighWatermark, replica.LogEnd, replica.InSync, replica.Voters, replica.SegmentBytes);
}
