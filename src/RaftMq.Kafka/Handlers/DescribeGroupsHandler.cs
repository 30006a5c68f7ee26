using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>DescribeGroups. A group that does not exist is described as dead, without an error.</summary>
internal sealed class DescribeGroupsHandler(KafkaNode node) : AnsweringHandler<DescribeGroupsRequest, DescribeGroupsResponse>
{
    protected override async ValueTask<DescribeGroupsResponse> AnswerAsync(
        DescribeGroupsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        int operations = message.IncludeAuthorizedOperations ? AllowedOperations.Group : AllowedOperations.NotAsked;
        Task<DescribeGroupsResponse.Group>[] describing =
            Array.ConvertAll(message.Groups, group => DescribeAsync(group, operations, cancellation));
        return new DescribeGroupsResponse { Groups = await Task.WhenAll(describing) };
    }

    private static DescribeGroupsResponse.Group Described(GroupDescribeResult.Described described, int operations) => new()
    {
        GroupId = described.Group.Value,
        GroupState = GroupFields.State(described.Phase),
        ProtocolType = described.ProtocolType,
        ProtocolData = described.ProtocolName,
        AuthorizedOperations = operations,
        Members = Array.ConvertAll(described.Members, member => new DescribeGroupsResponse.Member
        {
            MemberId = member.Member.Value,
            GroupInstanceId = member.Instance?.Value,
            ClientId = member.ClientId,
            ClientHost = member.ClientHost,
            MemberMetadata = member.Metadata,
            MemberAssignment = member.Assignment,
        }),
    };

    private async Task<DescribeGroupsResponse.Group> DescribeAsync(string group, int operations, CancellationToken cancellation)
    {
        GroupDescribeResult? result = await GroupCall<GroupDescribeResult>.AskAsync(
            node.Broker, group, (coordinator, reply, _) => reply.Complete(coordinator.Describe(new ConsumerGroupId(group))), cancellation);
        return result switch
        {
            null => new DescribeGroupsResponse.Group { GroupId = group, Error = KafkaError.NotCoordinator },
            GroupDescribeResult.Described described => Described(described, operations),
            GroupDescribeResult.Refused { Reason: GroupRefusal.GroupNotFound } => new DescribeGroupsResponse.Group
            {
                GroupId = group,
                GroupState = GroupFields.DeadState,
                AuthorizedOperations = operations,
            },
            GroupDescribeResult.Refused refused => new DescribeGroupsResponse.Group
            {
                GroupId = group,
                Error = ErrorMap.Of(refused.Reason),
            },
            _ => throw ErrorMap.Unmapped(result),
        };
    }
}
