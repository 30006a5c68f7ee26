namespace RaftMq.Kafka.Wire.Generator;

/// <summary>A schema that cannot be understood; becomes a compiler error at its line.</summary>
internal sealed class SchemaException : Exception
{
    public SchemaException(int line, string message)
        : base(message)
    {
        Line = line;
    }

    /// <summary>Counted from 0.</summary>
    public int Line { get; }
}
