using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>ApiVersions: what is served. No features are finalized; so no client takes transactions v2 to be on.</summary>
internal sealed class ApiVersionsHandler : AnsweringHandler<ApiVersionsRequest, ApiVersionsResponse>
{
    public static ApiVersionsResponse Ranges()
    {
        IReadOnlyList<ApiVersionRange> served = ServedVersions.All;
        var keys = new ApiVersionsResponse.Api[served.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = new ApiVersionsResponse.Api
            {
                ApiKey = served[i].Key,
                MinVersion = served[i].Min,
                MaxVersion = served[i].Max,
            };
        }

        return new ApiVersionsResponse { ApiKeys = keys };
    }

    protected override ValueTask<ApiVersionsResponse> AnswerAsync(
        ApiVersionsRequest message, KafkaRequest request, CancellationToken cancellation) => new(Ranges());
}
