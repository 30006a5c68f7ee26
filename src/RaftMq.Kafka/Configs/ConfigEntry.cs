using RaftMq.Broker.Controller;

namespace RaftMq.Kafka.Configs;

/// <summary>A setting as tools show it.</summary>
/// <param name="Default">The value without any setting; null for what has none.</param>
internal sealed record ConfigEntry(
    string Name, string Value, ConfigType Type, ConfigSource Source, bool ReadOnly, string? Default, string Documentation)
{
    /// <summary>The node's own setting that counts where the topic says nothing; null for what no node sets.</summary>
    public NodeSetting? Node { get; init; }

    // The protocol's numbers for types.
    private const sbyte BooleanCode = 1;
    private const sbyte StringCode = 2;
    private const sbyte IntCode = 3;
    private const sbyte LongCode = 5;
    private const sbyte ListCode = 7;

    public sbyte TypeCode => Type switch
    {
        ConfigType.Boolean => BooleanCode,
        ConfigType.Text => StringCode,
        ConfigType.Int32 => IntCode,
        ConfigType.Int64 => LongCode,
        ConfigType.List => ListCode,
        _ => throw new InvalidOperationException($"Settings of type {Type} have no number in the protocol."),
    };
}
