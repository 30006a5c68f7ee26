using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>JoinGroup. The answer waits for the rebalance; meanwhile the connection is not read on, as its client expects.</summary>
internal sealed class JoinGroupHandler(KafkaNode node) : AnsweringHandler<JoinGroupRequest, JoinGroupResponse>
{
    private const short FirstVersionWithKnownMember = 4;
    private const short FirstVersionWithSkippedAssignment = 9;

    protected override async ValueTask<JoinGroupResponse> AnswerAsync(
        JoinGroupRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        var protocols = new MemberProtocol[message.Protocols.Length];
        for (int i = 0; i < protocols.Length; i++)
        {
            protocols[i] = new MemberProtocol(message.Protocols[i].Name, message.Protocols[i].Metadata);
        }

        var join = new JoinRequest
        {
            Group = new ConsumerGroupId(message.GroupId),
            Member = new MemberId(message.MemberId),
            Instance = GroupFields.Instance(message.GroupInstanceId),
            ClientId = request.Header.ClientId ?? "",
            ClientHost = "/" + request.Session.Info.RemoteAddress,
            SessionTimeoutMs = message.SessionTimeoutMs,
            RebalanceTimeoutMs = message.RebalanceTimeoutMs,
            ProtocolType = message.ProtocolType,
            Protocols = protocols,
            RequireKnownMember = request.Version >= FirstVersionWithKnownMember,
            CanSkipAssignment = request.Version >= FirstVersionWithSkippedAssignment,
        };
        JoinResult? result = await GroupCall<JoinResult>.AskAsync(
            node.Broker, message.GroupId, (coordinator, reply, nowMs) => coordinator.Join(join, nowMs, reply), cancellation);
        return result switch
        {
            null => Refused(KafkaError.NotCoordinator, message.MemberId),
            JoinResult.Joined joined => Joined(joined),
            JoinResult.MemberIdRequired required => Refused(KafkaError.MemberIdRequired, required.Member.Value),
            JoinResult.Refused refused => Refused(ErrorMap.Of(refused.Reason), message.MemberId),
            _ => throw ErrorMap.Unmapped(result),
        };
    }

    private static JoinGroupResponse Joined(JoinResult.Joined joined)
    {
        var members = new JoinGroupResponse.Member[joined.Members.Length];
        for (int i = 0; i < members.Length; i++)
        {
            JoinedMember member = joined.Members[i];
            members[i] = new JoinGroupResponse.Member
            {
                MemberId = member.Member.Value,
                GroupInstanceId = member.Instance?.Value,
                Metadata = member.Metadata,
            };
        }

        return new JoinGroupResponse
        {
            GenerationId = joined.Generation.Value,
            ProtocolType = joined.ProtocolType,
            ProtocolName = joined.ProtocolName,
            Leader = joined.Leader.Value,
            SkipAssignment = joined.SkipAssignment,
            MemberId = joined.Member.Value,
            Members = members,
        };
    }

    private static JoinGroupResponse Refused(KafkaError error, string memberId) =>
        new() { Error = error, GenerationId = Generation.None.Value, MemberId = memberId };
}
