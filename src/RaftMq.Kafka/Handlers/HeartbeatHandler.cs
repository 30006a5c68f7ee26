using RaftMq.Broker.Groups;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>Heartbeat of a group's member.</summary>
internal sealed class HeartbeatHandler(KafkaNode node) : AnsweringHandler<HeartbeatRequest, HeartbeatResponse>
{
    protected override async ValueTask<HeartbeatResponse> AnswerAsync(
        HeartbeatRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        HeartbeatResult? result = await GroupCall<HeartbeatResult>.AskAsync(
            node.Broker,
            message.GroupId,
            (coordinator, reply, nowMs) => reply.Complete(coordinator.Heartbeat(
                new ConsumerGroupId(message.GroupId),
                new Generation(message.GenerationId),
                new MemberId(message.MemberId),
                GroupFields.Instance(message.GroupInstanceId),
                nowMs)),
            cancellation);
        return new HeartbeatResponse
        {
            Error = result switch
            {
                null => KafkaError.NotCoordinator,
                HeartbeatResult.Alive => KafkaError.None,
                HeartbeatResult.Refused refused => ErrorMap.Of(refused.Reason),
                _ => throw ErrorMap.Unmapped(result),
            },
        };
    }
}
