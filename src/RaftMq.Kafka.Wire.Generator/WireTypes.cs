namespace RaftMq.Kafka.Wire.Generator;

/// <summary>What the primitives of a schema are in C# and in the reader and writer.</summary>
internal static class WireTypes
{
    /// <summary>The C# type of one element, without array or null marks.</summary>
    public static string CSharp(FieldModel field) => field.Type switch
    {
        "bool" => "bool",
        "int8" => "sbyte",
        "int16" => "short",
        "int32" => "int",
        "int64" => "long",
        "uuid" => "Guid",
        "string" => "string",
        "bytes" => "byte[]",
        "records" => "RecordBytes",
        "error" => "KafkaError",
        "apikey" => "ApiKey",
        _ => field.Type,
    };

    /// <summary>The C# type of the property.</summary>
    public static string Property(FieldModel field)
    {
        bool isNullable = field.NullableVersions is not null || (field.IsStructure && !field.IsArray);
        string element = CSharp(field) + (field.IsArray ? "[]" : string.Empty);
        return isNullable && (field.IsArray || field.Type != "records") ? element + "?" : element;
    }

    /// <summary>The property's initializer with the blank before it, or nothing.</summary>
    public static string Initializer(FieldModel field)
    {
        if (field.Default is { } value)
        {
            return $" = {Literal(value)};";
        }

        bool mayBeNull = field.NullableVersions is not null || (field.IsStructure && !field.IsArray);
        if (mayBeNull)
        {
            return string.Empty;
        }

        return field.IsArray || field.Type == "bytes" ? " = [];" : field.Type == "string" ? " = string.Empty;" : string.Empty;
    }

    public static string Literal(string value) => value == "-2147483648" ? "int.MinValue" : value;

    /// <summary>Strings, bytes and records change their length's form in flexible versions.</summary>
    public static bool HasLength(string type) => type is "string" or "bytes" or "records";

    public static string Method(string type) => type switch
    {
        "bool" => "Bool",
        "int8" => "Int8",
        "int16" => "Int16",
        "int32" => "Int32",
        "int64" => "Int64",
        "uuid" => "Uuid",
        "string" => "String",
        "bytes" => "Bytes",
        "records" => "Records",
        "error" => "Error",
        "apikey" => "ApiKey",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a primitive"),
    };

    /// <summary>The fewest bytes one element of the field takes in a version: what a count is checked against before it is believed.</summary>
    public static int ElementBytesMin(FieldModel field, int version, bool flexible)
    {
        if (!field.IsStructure)
        {
            return field.Type switch
            {
                "bool" or "int8" => 1,
                "int16" or "error" or "apikey" => 2,
                "int32" => 4,
                "int64" => 8,
                "uuid" => 16,
                "string" => flexible ? 1 : 2,
                _ => flexible ? 1 : 4,
            };
        }

        int bytes = flexible ? 1 : 0;
        foreach (FieldModel inner in field.Fields)
        {
            if (inner.Tag is null && inner.Versions.Contains(version))
            {
                bytes += inner.IsArray ? (flexible ? 1 : 4) : ElementBytesMin(inner, version, flexible);
            }
        }

        return bytes;
    }
}
