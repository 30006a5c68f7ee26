using System.Text.Json;

namespace RaftMq.Server.Configuration;

/// <summary>
/// Reads the configuration from its three sources: a JSON file, the environment, the command line; a later one wins. Unknown keys are
/// faults, and all faults are reported at once.
/// </summary>
internal sealed class ConfigurationReader
{
    private const string EnvironmentPrefix = "RAFTMQ_";
    private const string ConfigKey = "config";

    private readonly Dictionary<string, Given> _given = new(StringComparer.Ordinal);
    private readonly List<string> _faults = [];
    private bool _helpWanted;
    private bool _versionWanted;

    /// <param name="arguments"><c>--key value</c> or <c>--key=value</c>; <c>--config FILE</c> names the file.</param>
    public static ConfigurationResult Read(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var reader = new ConfigurationReader();
        Dictionary<string, Given> fromCommandLine = reader.ReadCommandLine(arguments);
        if (reader._helpWanted)
        {
            return new ConfigurationResult.HelpWanted();
        }

        if (reader._versionWanted)
        {
            return new ConfigurationResult.VersionWanted();
        }

        if (fromCommandLine.Remove(ConfigKey, out Given? file))
        {
            reader.ReadFile(file.Text);
        }

        reader.ReadEnvironment(environment);
        foreach ((string key, Given given) in fromCommandLine)
        {
            reader._given[key] = given;
        }

        return reader.Finish();
    }

    private ConfigurationResult Finish()
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach ((string key, Given given) in _given.OrderBy(given => given.Key, StringComparer.Ordinal))
        {
            SettingTable.Entry? entry = SettingTable.All.FirstOrDefault(setting => setting.Setting.Key == key);
            if (entry is null)
            {
                _faults.Add(Unknown(key, given));
                continue;
            }

            try
            {
                values[key] = SettingText.Parse(entry.Type, entry.Setting, given.Text);
            }
            catch (FormatException exception)
            {
                _faults.Add($"{key} ({given.Source}): {exception.Message}.");
            }
        }

        ServerOptions options = SettingTable.Build(values);
        if (options.DataFolder.Length == 0)
        {
            options = options with { DataFolder = $"raftmq-data/node-{options.NodeId}" };
        }

        var warnings = new List<string>();
        ServerOptionsRules.Check(options, _faults, warnings);
        return _faults.Count > 0
            ? new ConfigurationResult.Refused(_faults)
            : new ConfigurationResult.Accepted(options, warnings);
    }

    private Dictionary<string, Given> ReadCommandLine(IReadOnlyList<string> arguments)
    {
        var given = new Dictionary<string, Given>(StringComparer.Ordinal);
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (argument is "--help" or "-h")
            {
                _helpWanted = true;
                continue;
            }

            if (argument is "--version")
            {
                _versionWanted = true;
                continue;
            }

            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                _faults.Add($"'{argument}' is not a setting: write --key value.");
                continue;
            }

            string key = argument[2..];
            string? value = null;
            int equals = key.IndexOf('=');
            if (equals >= 0)
            {
                value = key[(equals + 1)..];
                key = key[..equals];
            }
            else if (i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal))
            {
                value = arguments[++i];
            }

            if (value is null)
            {
                _faults.Add($"--{key} has no value.");
            }
            else if (!given.TryAdd(key, new Given(value, "command line")))
            {
                _faults.Add($"--{key} is given twice: '{given[key].Text}' and '{value}'.");
            }
        }

        return given;
    }

    private void ReadEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        var variables = new Dictionary<string, (string Name, string Value)>(StringComparer.Ordinal);
        foreach ((string name, string value) in environment.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            if (!name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal))
            {
                continue;
            }

            string key = name[EnvironmentPrefix.Length..].ToLowerInvariant().Replace('_', '.');
            if (variables.TryAdd(key, (name, value)))
            {
                _given[key] = new Given(value, $"environment variable {name}") { Variable = name };
            }
            else
            {
                (string first, string firstValue) = variables[key];
                _faults.Add($"The environment variables {first} and {name} both give {key}: '{firstValue}' and '{value}'.");
            }
        }
    }

    private void ReadFile(string path)
    {
        byte[] text = [];
        try
        {
            text = ConfigurationFile.Read(path);
            using JsonDocument document = JsonDocument.Parse(
                text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                _faults.Add($"{path} is not a JSON object.");
                return;
            }

            ReadObject(document.RootElement, "", path);
        }
        catch (JsonException exception)
        {
            _faults.Add($"{path} is not JSON: {ConfigurationFile.Describe(text, exception)}.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _faults.Add($"{path} can't be read: {exception.Message}");
        }
    }

    /// <summary>Dots in keys and objects in objects mean the same.</summary>
    private void ReadObject(JsonElement element, string prefix, string path)
    {
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string key = prefix + property.Name;
            if (property.Value.ValueKind == JsonValueKind.Object)
            {
                ReadObject(property.Value, key + ".", path);
            }
            else if (!_given.TryAdd(key, new Given(TextOf(property.Value), path)))
            {
                _faults.Add($"{path} gives {key} twice: '{_given[key].Text}' and '{TextOf(property.Value)}'.");
            }
        }
    }

    private static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => string.Join(',', value.EnumerateArray().Select(TextOf)),
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };

    private static string Unknown(string key, Given given)
    {
        string? near = NearestSetting.To(key);
        return given.Variable is null
            ? $"There is no setting {key} ({given.Source})." + (near is null ? "" : $" Did you mean {near}?")
            : $"There is no setting for the environment variable {given.Variable}." + (near is null ? "" : $" Did you mean {VariableOf(near)}?");
    }

    private static string VariableOf(string key) => EnvironmentPrefix + key.ToUpperInvariant().Replace('.', '_');

    /// <param name="Text">What was written.</param>
    /// <param name="Source">Where, for messages.</param>
    private sealed record Given(string Text, string Source)
    {
        /// <summary>The variable's name where it came from the environment.</summary>
        public string? Variable { get; init; }
    }
}
