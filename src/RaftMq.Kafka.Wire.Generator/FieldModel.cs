namespace RaftMq.Kafka.Wire.Generator;

/// <summary>One field of a message or of a structure in it.</summary>
internal sealed class FieldModel
{
    public FieldModel(string name, string type, bool isArray, VersionRange versions)
    {
        Name = name;
        Type = type;
        IsArray = isArray;
        Versions = versions;
    }

    public string Name { get; }

    /// <summary>A primitive's schema name, or the name of a structure.</summary>
    public string Type { get; }

    public bool IsArray { get; }

    public VersionRange Versions { get; }

    /// <summary>The versions in which the field may be null, or null if there are none.</summary>
    public VersionRange? NullableVersions { get; set; }

    /// <summary>The tag, for a field that stands among the tagged ones.</summary>
    public int? Tag { get; set; }

    /// <summary>The value where the field is absent, as written in the schema; null for the type's own.</summary>
    public string? Default { get; set; }

    /// <summary>What the field means, in the schema's words.</summary>
    public string? Note { get; set; }

    /// <summary>The fields of a structure; empty for a primitive.</summary>
    public List<FieldModel> Fields { get; } = [];

    public bool IsStructure => Fields.Count > 0;
}
