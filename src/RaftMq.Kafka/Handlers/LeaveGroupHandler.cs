using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>LeaveGroup: one member up to version 2, several from 3 on.</summary>
internal sealed class LeaveGroupHandler(KafkaNode node) : AnsweringHandler<LeaveGroupRequest, LeaveGroupResponse>
{
    private const short FirstVersionWithList = 3;

    protected override async ValueTask<LeaveGroupResponse> AnswerAsync(
        LeaveGroupRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        bool list = request.Version >= FirstVersionWithList;
        LeavingMember[] leaving = list
            ? Array.ConvertAll(
                message.Members, member => new LeavingMember(new MemberId(member.MemberId), GroupFields.Instance(member.GroupInstanceId)))
            : [new LeavingMember(new MemberId(message.MemberId), Instance: null)];
        var leave = new LeaveRequest { Group = new ConsumerGroupId(message.GroupId), Members = leaving };
        LeaveResult? result = await GroupCall<LeaveResult>.AskAsync(
            node.Broker, message.GroupId, (coordinator, reply, nowMs) => coordinator.Leave(leave, nowMs, reply), cancellation);
        switch (result)
        {
            case null:
                return new LeaveGroupResponse { Error = KafkaError.NotCoordinator };
            case LeaveResult.Refused refused:
                return new LeaveGroupResponse { Error = ErrorMap.Of(refused.Reason) };
            case LeaveResult.Left left when list:
                return new LeaveGroupResponse { Members = Members(message.Members, left) };
            case LeaveResult.Left left:
                return new LeaveGroupResponse { Error = Error(left.Members[0]) };
            default:
                throw ErrorMap.Unmapped(result);
        }
    }

    private static LeaveGroupResponse.Member[] Members(LeaveGroupRequest.Member[] asked, LeaveResult.Left left)
    {
        var members = new LeaveGroupResponse.Member[asked.Length];
        for (int i = 0; i < members.Length; i++)
        {
            members[i] = new LeaveGroupResponse.Member
            {
                MemberId = asked[i].MemberId,
                GroupInstanceId = asked[i].GroupInstanceId,
                Error = Error(left.Members[i]),
            };
        }

        return members;
    }

    private static KafkaError Error(GroupRefusal? refusal) => refusal is { } reason ? ErrorMap.Of(reason) : KafkaError.None;
}
