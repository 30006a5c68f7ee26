using System.Text.RegularExpressions;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Documents;

/// <summary>
/// What README.md and the pages under docs tell a reader to type: the lines of fenced blocks marked "sh" and of indented blocks, and
/// <c>raftmq …</c> in running text. Fenced blocks marked "text" hold none.
/// </summary>
internal static partial class DocumentedCommands
{
    public static IEnumerable<string> Pages { get; } =
    [
        "README.md",
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Root, path))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The commands of a page in its order, without their comments; one that goes on in the next line is one.</summary>
    public static IReadOnlyList<string> InBlocks(string page)
    {
        List<string> commands = [];
        string? fence = null;
        string open = "";
        bool afterBlank = true;
        foreach (string line in File.ReadLines(Path.Combine(Repository.Root, page)))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                fence = fence is null ? line[3..] : null;
                Assert.True(fence is null or "sh" or "text", $"{page}: a block is marked sh or text, not '{fence}'");
                continue;
            }

            bool indented = fence is null && line.StartsWith("    ", StringComparison.Ordinal) && (afterBlank || open.Length > 0);
            afterBlank = line.Length == 0 || (afterBlank && indented);
            if (fence != "sh" && !indented)
            {
                continue;
            }

            open += (open.Length > 0 ? "\n" : "") + line.Trim();
            if (open.Length > 0 && open[^1] is not ('|' or '\\'))
            {
                commands.Add(Comment().Replace(open, ""));
                open = "";
            }
        }

        return commands;
    }

    public static IEnumerable<string> InText(string page) =>
        Inline().Matches(File.ReadAllText(Path.Combine(Repository.Root, page))).Select(match => match.Groups["command"].Value);

    [GeneratedRegex(@"\s{2,}#.*$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Comment();

    [GeneratedRegex(@"(?<!`)`(?<command>raftmq [^`\n]+)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Inline();
}
