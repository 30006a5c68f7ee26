using System.Reflection;

namespace RaftMq.Server.Configuration;

/// <summary>All settings, found on the options by their attribute, and the way from values by key to the options.</summary>
internal static class SettingTable
{
    public static IReadOnlyList<Entry> All { get; } = [.. Collect(typeof(ServerOptions), [], new ServerOptions())];

    /// <summary>Builds the options from the settings that were given; the others keep their defaults.</summary>
    public static ServerOptions Build(IReadOnlyDictionary<string, object?> values)
    {
        var options = new ServerOptions();
        foreach (Entry entry in All)
        {
            if (values.TryGetValue(entry.Setting.Key, out object? value))
            {
                object target = options;
                foreach (PropertyInfo step in entry.Path)
                {
                    target = step.GetValue(target)!;
                }

                // The records are fresh from their constructors and not yet seen by anybody else.
                entry.Property.SetValue(target, value);
            }
        }

        return options;
    }

    private static IEnumerable<Entry> Collect(Type type, PropertyInfo[] path, object defaults)
    {
        foreach (PropertyInfo property in type.GetProperties())
        {
            object? value = property.GetValue(defaults);
            if (property.GetCustomAttribute<SettingAttribute>() is { } setting)
            {
                yield return new Entry(setting, property, path, value);
            }
            else if (value is not null && property.CanWrite)
            {
                foreach (Entry inner in Collect(property.PropertyType, [.. path, property], value))
                {
                    yield return inner;
                }
            }
        }
    }

    /// <param name="Path">The properties that lead from the options to the record that has the property.</param>
    internal sealed record Entry(SettingAttribute Setting, PropertyInfo Property, PropertyInfo[] Path, object? Default)
    {
        public Type Type => Property.PropertyType;

        public string DefaultText => Setting.DefaultText ?? SettingText.Format(Default, Setting);

        public string RangeText => SettingText.FormatRange(Type, Setting);
    }
}
