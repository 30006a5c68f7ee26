using System.Text;

namespace RaftMq.Server.Configuration;

/// <summary>What <c>--help</c> prints.</summary>
internal static class ConfigurationHelp
{
    public static string Text()
    {
        var text = new StringBuilder("""
            RaftMq.Server [--config FILE] [--KEY VALUE]...
            RaftMq.Server --help | --version

            Settings come from a JSON file, from environment variables (RAFTMQ_NODE_ID for node.id) and from the command line;
            a later one wins. Without any, a single node starts.


            """);
        foreach (SettingTable.Entry entry in SettingTable.All)
        {
            string range = entry.RangeText.Length == 0 ? "" : $", {entry.RangeText}";
            string standard = entry.DefaultText.Length == 0 ? "not given" : entry.DefaultText;
            text.Append("  --").Append(entry.Setting.Key).Append("  (").Append(standard).Append(range).Append(")\n      ")
                .Append(entry.Setting.Meaning).Append('\n');
        }

        return text.ToString();
    }
}
