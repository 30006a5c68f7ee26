namespace RaftMq.Kafka.Wire.Generator;

/// <summary>One message as its schema describes it.</summary>
internal sealed class MessageModel
{
    public MessageModel(string kind, string name, int? apiKey, VersionRange versions, int? flexibleFrom, string summary)
    {
        Kind = kind;
        Name = name;
        ApiKey = apiKey;
        Versions = versions;
        FlexibleFrom = flexibleFrom;
        Summary = summary;
    }

    /// <summary>"request", "response" or "data" (a payload inside a bytes field).</summary>
    public string Kind { get; }

    public string Name { get; }

    public int? ApiKey { get; }

    public VersionRange Versions { get; }

    /// <summary>The first version with compact lengths and tagged fields, or null.</summary>
    public int? FlexibleFrom { get; }

    public string Summary { get; }

    public List<FieldModel> Fields { get; } = [];
}
