using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Brokers;

/// <summary>What a cluster says of consumer groups, over Kafka's protocol.</summary>
internal sealed class GroupReader(KafkaCluster cluster)
{
    private const int FirstVersionWithState = 4;
    private const int FirstVersionOfSeveralKeys = 4;
    private const int FirstVersionOfSeveralGroups = 8;

    public async Task<IReadOnlyList<GroupListing>> ListAsync(CancellationToken cancellation)
    {
        ClusterView view = await cluster.RefreshAsync([], cancellation);
        List<GroupListing> found = [];
        foreach (int node in view.Brokers.Keys.Order())
        {
            KafkaConnection connection = await cluster.GetConnectionAsync(node, cancellation);
            using KafkaReply<ListGroupsResponse> reply = await connection.SendAsync(new ListGroupsRequest(), cancellation);
            TopicReader.ThrowIf(reply.Message.Error, $"node {node} does not list its groups");
            found.AddRange(reply.Message.Groups.Select(group => new GroupListing(
                group.GroupId, group.ProtocolType, reply.Version >= FirstVersionWithState ? group.GroupState : "", node)));
        }

        return [.. found.OrderBy(group => group.Group, StringComparer.Ordinal)];
    }

    public async Task<GroupDescription> DescribeAsync(string group, CancellationToken cancellation)
    {
        KafkaConnection coordinator = await CoordinatorAsync(group, cancellation);
        using KafkaReply<DescribeGroupsResponse> reply =
            await coordinator.SendAsync(new DescribeGroupsRequest { Groups = [group] }, cancellation);
        DescribeGroupsResponse.Group answer = reply.Message.Groups.Single();
        TopicReader.ThrowIf(answer.Error, $"{group} can't be described");
        IReadOnlyList<GroupPosition> positions = await PositionsAsync(
            coordinator, group, [.. answer.Members.SelectMany(member => AssignmentReader.Read(answer.ProtocolType, member.MemberAssignment))], cancellation);
        if (answer.GroupState == "Dead" && positions.Count == 0)
        {
            throw new CommandFailedException(ExitCodes.NotFound, $"There is no group {group}.");
        }

        return new GroupDescription(
            group, answer.GroupState, answer.ProtocolType,
            [.. answer.Members.Select(member => new GroupMember(member.MemberId, member.GroupInstanceId, member.ClientId, member.ClientHost))],
            positions);
    }

    private async Task<KafkaConnection> CoordinatorAsync(string group, CancellationToken cancellation)
    {
        KafkaConnection any = await cluster.GetAnyConnectionAsync(cancellation);
        using KafkaReply<FindCoordinatorResponse> reply =
            await any.SendAsync(new FindCoordinatorRequest { Key = group, CoordinatorKeys = [group] }, cancellation);
        FindCoordinatorResponse answer = reply.Message;
        (KafkaError error, int node) = reply.Version >= FirstVersionOfSeveralKeys
            ? (answer.Coordinators.Single().Error, answer.Coordinators.Single().NodeId)
            : (answer.Error, answer.NodeId);
        TopicReader.ThrowIf(error, $"the coordinator of {group} is not known");
        return await cluster.GetConnectionAsync(node, cancellation);
    }

    private async Task<IReadOnlyList<GroupPosition>> PositionsAsync(
        KafkaConnection coordinator, string group, IReadOnlyList<(string Topic, int Partition)> assigned, CancellationToken cancellation)
    {
        // A null list of topics means all of them.
        var ask = new OffsetFetchRequest { GroupId = group, Topics = null, Groups = [new OffsetFetchRequest.Group { GroupId = group, Topics = null }] };
        using KafkaReply<OffsetFetchResponse> reply = await coordinator.SendAsync(ask, cancellation);
        List<(string Topic, int Partition, long? Committed)> committed = [];
        if (reply.Version >= FirstVersionOfSeveralGroups)
        {
            OffsetFetchResponse.Group answer = reply.Message.Groups.Single();
            TopicReader.ThrowIf(answer.Error, $"the offsets of {group} can't be read");
            committed.AddRange(answer.Topics.SelectMany(topic => topic.Partitions.Select(part => (topic.Name, part.Index, (long?)part.CommittedOffset))));
        }
        else
        {
            TopicReader.ThrowIf(reply.Message.Error, $"the offsets of {group} can't be read");
            committed.AddRange(reply.Message.Topics.SelectMany(topic => topic.Partitions.Select(part => (topic.Name, part.Index, (long?)part.CommittedOffset))));
        }

        var reader = new TopicReader(cluster);
        List<GroupPosition> positions = [];
        committed.RemoveAll(position => position.Committed < 0);
        HashSet<(string, int)> known = [.. committed.Select(position => (position.Topic, position.Partition))];
        committed.AddRange(assigned.Where(known.Add).Select(partition => (partition.Topic, partition.Partition, (long?)null)));
        foreach (IGrouping<string, (string Topic, int Partition, long? Committed)> topic in committed
            .GroupBy(position => position.Topic, StringComparer.Ordinal)
            .OrderBy(topic => topic.Key, StringComparer.Ordinal))
        {
            IReadOnlyDictionary<int, long> ends =
                await reader.OffsetsAsync(topic.Key, topic.Select(position => position.Partition), TopicReader.Latest, cancellation);
            foreach ((string name, int partition, long? offset) in topic.OrderBy(position => position.Partition))
            {
                long? end = ends.TryGetValue(partition, out long found) ? found : null;
                positions.Add(new GroupPosition(name, partition, offset, end, end - offset));
            }
        }

        return positions;
    }
}
