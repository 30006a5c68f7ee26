using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>ListGroups: the groups this node coordinates. A tool asks every node and puts the lists together.</summary>
internal sealed class ListGroupsHandler(KafkaNode node) : AnsweringHandler<ListGroupsRequest, ListGroupsResponse>
{
    protected override async ValueTask<ListGroupsResponse> AnswerAsync(
        ListGroupsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        ClusterImage cluster = node.Broker.Cluster;
        if (!cluster.Topics.TryGetValue(OffsetsTopic.Name, out TopicInfo? topic))
        {
            return new ListGroupsResponse();
        }

        var listing = new List<Task<GroupListResult?>>();
        foreach (PartitionInfo partition in topic.Partitions)
        {
            if (cluster.LeaderOf(partition.Group)?.Leader == node.Broker.Self)
            {
                listing.Add(GroupCall<GroupListResult>.AskAsync(
                    node.Broker, partition.Group, (coordinator, reply, _) => reply.Complete(coordinator.List()), cancellation));
            }
        }

        var groups = new List<ListGroupsResponse.Group>();
        KafkaError error = KafkaError.None;
        foreach (Task<GroupListResult?> list in listing)
        {
            switch (await list)
            {
                case GroupListResult.Listed listed:
                    Add(listed, message.StatesFilter, groups);
                    break;
                case GroupListResult.Refused refused:
                    error = ErrorMap.Of(refused.Reason);
                    break;
                default:
                    // Said to lead it, but not serving it yet (or any more): without this the list would silently lack groups.
                    error = KafkaError.CoordinatorLoadInProgress;
                    break;
            }
        }

        return new ListGroupsResponse { Error = error, Groups = [.. groups] };
    }

    private static void Add(GroupListResult.Listed listed, string[] states, List<ListGroupsResponse.Group> groups)
    {
        foreach (ListedGroup group in listed.Groups)
        {
            string state = GroupFields.State(group.Phase);
            if (states.Length == 0 || states.Contains(state, StringComparer.OrdinalIgnoreCase))
            {
                groups.Add(new ListGroupsResponse.Group
                {
                    GroupId = group.Group.Value,
                    ProtocolType = group.ProtocolType,
                    GroupState = state,
                });
            }
        }
    }
}
