using RaftMq.Kafka.Wire;

namespace RaftMq.Kafka.Handlers;

/// <summary>An API whose answer is made in one piece and sent before the connection is read on.</summary>
internal abstract class AnsweringHandler<TRequest, TResponse> : RequestHandler
    where TRequest : class, IKafkaRequest<TRequest, TResponse>
    where TResponse : class, IKafkaMessage<TResponse>
{
    public sealed override ApiKey Key => TRequest.Schema.Key!.Value;

    public sealed override ValueTask HandleAsync(KafkaRequest request, CancellationToken cancellation)
    {
        if (!request.TryRead(out TRequest? message))
        {
            return ValueTask.CompletedTask;
        }

        ValueTask<TResponse> answering = AnswerAsync(message, request, cancellation);
        if (!answering.IsCompletedSuccessfully)
        {
            return FinishAsync(answering, request);
        }

        request.Answer(answering.GetAwaiter().GetResult());
        return ValueTask.CompletedTask;
    }

    protected abstract ValueTask<TResponse> AnswerAsync(TRequest message, KafkaRequest request, CancellationToken cancellation);

    private static async ValueTask FinishAsync(ValueTask<TResponse> answering, KafkaRequest request) =>
        request.Answer(await answering);
}
