namespace RaftMq.Server.Configuration;

internal enum SettingUnit
{
    None,

    /// <summary>A number of bytes; <c>KiB</c>, <c>MiB</c> and <c>GiB</c> may follow it.</summary>
    Bytes,
}

/// <summary>Makes a property a setting. docs/configuration.md lists them all and a test compares the two.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SettingAttribute(string key, string meaning) : Attribute
{
    /// <summary>Dotted, lower case.</summary>
    public string Key { get; } = key;

    /// <summary>One line for people.</summary>
    public string Meaning { get; } = meaning;

    public SettingUnit Unit { get; init; }

    public long Min { get; init; } = long.MinValue;

    public long Max { get; init; } = long.MaxValue;

    /// <summary>Instead of the default value's own text, where the default depends on other settings.</summary>
    public string? DefaultText { get; init; }
}
