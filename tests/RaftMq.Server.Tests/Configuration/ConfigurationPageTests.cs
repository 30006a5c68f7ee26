using RaftMq.Broker.Controller;
using RaftMq.Server.Configuration;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Configuration;

/// <summary>docs/configuration.md says what the options say. <c>RAFTMQ_GOLDEN=rewrite</c> writes the table anew.</summary>
public sealed class ConfigurationPageTests
{
    [Fact]
    public void Page_lists_every_setting_with_its_default_and_limit()
    {
        IEnumerable<string> rows = SettingTable.All.Select(entry =>
            $"| `{entry.Setting.Key}` | {Cell(entry.DefaultText)} | {Cell(entry.RangeText)} | {Change(entry)} | {entry.Setting.Meaning} |");

        DocumentTable.Check("configuration.md", "settings", rows);
    }

    [Fact]
    public void Page_lists_every_setting_of_a_topic()
    {
        IEnumerable<string> rows = TopicConfigs.All.Values.Select(setting => $"| `{setting.Name}` | `{setting.Default}` | {setting.Documentation} |");

        DocumentTable.Check("configuration.md", "topic settings", rows);
    }

    [Fact]
    public void Page_lists_every_exit_code()
    {
        IEnumerable<string> rows = typeof(ExitCodes).GetFields().Select(field => $"| {field.GetValue(null)} | {field.Name} |");

        DocumentTable.CheckStarts("configuration.md", "exit codes", rows);
    }

    private static string Cell(string text) => text.Length == 0 ? "–" : text.StartsWith('<') || !text.Contains(' ') ? $"`{text}`" : text;

    /// <summary>Certificates are read again when their files change; everything else is read once.</summary>
    private static string Change(SettingTable.Entry entry) =>
        entry.Setting.Key.StartsWith("tls.", StringComparison.Ordinal) ? "restart; the file's content live" : "restart";
}
