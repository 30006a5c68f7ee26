using System.Collections.Immutable;

namespace RaftMq.Kafka.Configs;

/// <summary>A wanted change of one resource's settings.</summary>
/// <param name="Values">A null value: back to the default.</param>
/// <param name="Replace">What is not named goes back to its default too.</param>
/// <param name="Refusal">What is wrong with the request itself, or null.</param>
internal sealed record ConfigChange(
    sbyte ResourceType, string ResourceName, ImmutableSortedDictionary<string, string?> Values, bool Replace, string? Refusal);
