namespace RaftMq.Kafka.Configs;

/// <summary>A setting of this node that stands behind one of topics.</summary>
/// <param name="Name">Its Kafka name, which is not always the topic setting's.</param>
/// <param name="Value">As this node has it.</param>
internal sealed record NodeSetting(string Name, string Value);
