using System.Text.Json;

namespace RaftMq.Server.Configuration;

/// <summary>
/// Reads the configuration from its three sources: a JSON file, the environment, the command line; a later one wins. Unknown keys are
/// faults, and all faults are reported at once.
/// </summary>
internal sealed class ConfigurationReader
{
    private const string EnvironmentPrefix = "RAFTMQ_";

    /// <summary>Switches of the project's own tests, which the processes that they start inherit.</summary>
    private static readonly HashSet<string> NotSettings = ["RAFTMQ_FULL", "RAFTMQ_GOLDEN"];

    private readonly Dictionary<string, (string Text, string Source)> _given = new(StringComparer.Ordinal);
    private readonly List<string> _faults = [];
    private bool _helpWanted;

    /// <param name="arguments"><c>--key value</c> or <c>--key=value</c>; <c>--config FILE</c> names the file.</param>
    public static ConfigurationResult Read(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var reader = new ConfigurationReader();
        Dictionary<string, (string Text, string Source)> fromCommandLine = reader.ReadCommandLine(arguments, out string? file);
        if (reader._helpWanted)
        {
            return new ConfigurationResult.HelpWanted();
        }

        if (file is not null)
        {
            reader.ReadFile(file);
        }

        reader.ReadEnvironment(environment);
        foreach ((string key, (string Text, string Source) given) in fromCommandLine)
        {
            reader._given[key] = given;
        }

        return reader.Finish();
    }

    private ConfigurationResult Finish()
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach ((string key, (string text, string source)) in _given.OrderBy(given => given.Key, StringComparer.Ordinal))
        {
            SettingTable.Entry? entry = SettingTable.All.FirstOrDefault(setting => setting.Setting.Key == key);
            if (entry is null)
            {
                _faults.Add($"There is no setting {key} ({source}){Suggestion(key)}.");
                continue;
            }

            try
            {
                values[key] = SettingText.Parse(entry.Type, entry.Setting, text);
            }
            catch (FormatException exception)
            {
                _faults.Add($"{key} ({source}): {exception.Message}.");
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

    private Dictionary<string, (string Text, string Source)> ReadCommandLine(IReadOnlyList<string> arguments, out string? file)
    {
        var given = new Dictionary<string, (string Text, string Source)>(StringComparer.Ordinal);
        file = null;
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (argument is "--help" or "-h")
            {
                _helpWanted = true;
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
            else if (key == "config")
            {
                file = value;
            }
            else if (!given.TryAdd(key, (value, "command line")))
            {
                _faults.Add($"--{key} is given twice.");
            }
        }

        return given;
    }

    private void ReadEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        foreach ((string name, string value) in environment)
        {
            if (name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal) && !NotSettings.Contains(name))
            {
                string key = name[EnvironmentPrefix.Length..].ToLowerInvariant().Replace('_', '.');
                _given[key] = (value, $"environment variable {name}");
            }
        }
    }

    private void ReadFile(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                _faults.Add($"{path} is not a JSON object.");
                return;
            }

            ReadObject(document.RootElement, "", path);
        }
        catch (JsonException exception)
        {
            _faults.Add($"{path} is not JSON: {exception.Message}");
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
            else if (!_given.TryAdd(key, (TextOf(property.Value), path)))
            {
                _faults.Add($"{path} gives {key} twice.");
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

    private static string Suggestion(string key)
    {
        string? near = SettingTable.All.Select(entry => entry.Setting.Key)
            .FirstOrDefault(known => known.Replace(".", "").Equals(key.Replace(".", "").Replace("-", ""), StringComparison.OrdinalIgnoreCase)
                || known.EndsWith("." + key, StringComparison.Ordinal));
        return near is null ? "" : $"; did you mean {near}?";
    }
}
