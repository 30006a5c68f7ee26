using RaftMq.Broker.Controller;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// InitProducerId for idempotent producers. Each call gives a new id with epoch 0, also to a producer that names its old one (KIP-360): an
/// epoch means something only beside a transactional id.
/// </summary>
internal sealed class InitProducerIdHandler(KafkaNode node) : AnsweringHandler<InitProducerIdRequest, InitProducerIdResponse>
{
    protected override async ValueTask<InitProducerIdResponse> AnswerAsync(
        InitProducerIdRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        if (message.TransactionalId is not null)
        {
            return Refused(KafkaError.TransactionalIdAuthorizationFailed);
        }

        (long producerId, AdminResult result) = await node.ProducerIds.TakeAsync(cancellation);
        return result.Outcome switch
        {
            AdminOutcome.Done => new InitProducerIdResponse { ProducerId = producerId, ProducerEpoch = 0 },

            // The code for "not now" that every producer retries on this request.
            AdminOutcome.NotController or AdminOutcome.TimedOut => Refused(KafkaError.CoordinatorLoadInProgress),
            _ => Refused(ErrorMap.Of(result.Outcome)),
        };
    }

    private static InitProducerIdResponse Refused(KafkaError error) => new() { Error = error, ProducerId = -1, ProducerEpoch = -1 };
}
