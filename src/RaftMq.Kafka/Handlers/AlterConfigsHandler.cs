using System.Collections.Immutable;
using RaftMq.Kafka.Configs;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>AlterConfigs: the settings of a topic are replaced; what is not named goes back to its default.</summary>
internal sealed class AlterConfigsHandler(KafkaNode node) : AnsweringHandler<AlterConfigsRequest, AlterConfigsResponse>
{
    private readonly ConfigChanges changes = new(node);

    protected override async ValueTask<AlterConfigsResponse> AnswerAsync(
        AlterConfigsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        ConfigChange[] asked = Array.ConvertAll(message.Resources, resource => new ConfigChange(
            resource.ResourceType,
            resource.ResourceName,
            resource.Configs.ToLookup(config => config.Name, config => config.Value, StringComparer.Ordinal)
                .ToImmutableSortedDictionary(config => config.Key, config => config.Last(), StringComparer.Ordinal),
            Replace: true,
            Refusal: null));
        (KafkaError Error, string? Message)[] results = await changes.ApplyAsync(asked, message.ValidateOnly, cancellation);
        return new AlterConfigsResponse
        {
            Responses = results.Select((result, i) => new AlterConfigsResponse.Response
            {
                Error = result.Error,
                ErrorMessage = result.Message,
                ResourceType = asked[i].ResourceType,
                ResourceName = asked[i].ResourceName,
            }).ToArray(),
        };
    }
}
