using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>SyncGroup. The answer waits for the leader's assignment.</summary>
internal sealed class SyncGroupHandler(KafkaNode node) : AnsweringHandler<SyncGroupRequest, SyncGroupResponse>
{
    protected override async ValueTask<SyncGroupResponse> AnswerAsync(
        SyncGroupRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        var assignments = new MemberAssignment[message.Assignments.Length];
        for (int i = 0; i < assignments.Length; i++)
        {
            assignments[i] = new MemberAssignment(
                new MemberId(message.Assignments[i].MemberId), message.Assignments[i].Assignment);
        }

        var sync = new SyncRequest
        {
            Group = new ConsumerGroupId(message.GroupId),
            Generation = new Generation(message.GenerationId),
            Member = new MemberId(message.MemberId),
            Instance = GroupFields.Instance(message.GroupInstanceId),
            ProtocolType = message.ProtocolType,
            ProtocolName = message.ProtocolName,
            Assignments = assignments,
        };
        SyncResult? result = await GroupCall<SyncResult>.AskAsync(
            node.Broker, message.GroupId, (coordinator, reply, nowMs) => coordinator.Sync(sync, nowMs, reply), cancellation);
        return result switch
        {
            null => new SyncGroupResponse { Error = KafkaError.NotCoordinator },
            SyncResult.Synced synced => new SyncGroupResponse
            {
                ProtocolType = synced.ProtocolType,
                ProtocolName = synced.ProtocolName,
                Assignment = synced.Assignment,
            },
            SyncResult.Refused refused => new SyncGroupResponse { Error = ErrorMap.Of(refused.Reason) },
            _ => throw ErrorMap.Unmapped(result),
        };
    }
}
