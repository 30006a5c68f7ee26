using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>DeleteGroups: groups without members go, with their offsets.</summary>
internal sealed class DeleteGroupsHandler(KafkaNode node) : AnsweringHandler<DeleteGroupsRequest, DeleteGroupsResponse>
{
    protected override async ValueTask<DeleteGroupsResponse> AnswerAsync(
        DeleteGroupsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        Task<DeleteGroupsResponse.Result>[] deleting = Array.ConvertAll(message.GroupNames, group => DeleteAsync(group, cancellation));
        return new DeleteGroupsResponse { Results = await Task.WhenAll(deleting) };
    }

    private async Task<DeleteGroupsResponse.Result> DeleteAsync(string group, CancellationToken cancellation)
    {
        GroupDeleteResult? result = await GroupCall<GroupDeleteResult>.AskAsync(
            node.Broker,
            group,
            (coordinator, reply, nowMs) => coordinator.DeleteGroup(new ConsumerGroupId(group), nowMs, reply),
            cancellation);
        return new DeleteGroupsResponse.Result
        {
            GroupId = group,
            Error = result switch
            {
                null => KafkaError.NotCoordinator,
                GroupDeleteResult.Deleted => KafkaError.None,
                GroupDeleteResult.Refused refused => ErrorMap.Of(refused.Reason),
                _ => throw ErrorMap.Unmapped(result),
            },
        };
    }
}
