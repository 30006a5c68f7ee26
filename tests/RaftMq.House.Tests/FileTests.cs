namespace RaftMq.House.Tests;

public sealed class FileTests
{
    private static readonly string[] TopLevel =
    [
        ".ci", ".editorconfig", ".git", ".gitignore", "BannedSymbols.txt", "Directory.Build.props", "Directory.Packages.props",
        "LICENSE", "README.md", "RaftMq.sln", "artifacts", "chaos", "docs", "global.json", "raftmq-data", "src", "tests",
        ".config", "TestResults", "nuget.config",
    ];

    [Fact]
    public void The_top_level_holds_nothing_that_is_not_meant_to_be_there()
    {
        IEnumerable<string> names = Directory.EnumerateFileSystemEntries(Repository.Root).Select(p => Path.GetFileName(p));
        Assert.Empty(names.Except(TopLevel, StringComparer.Ordinal));
    }

    [Fact]
    public void No_folder_is_a_drawer_for_anything()
    {
        string[] drawers = ["Common", "Helpers", "Utils", "Misc", "Core", "Managers", "Shared"];
        IEnumerable<string> found = Repository.Files("*.cs")
            .Select(p => Path.GetFileName(Path.GetDirectoryName(p)!))
            .Intersect(drawers, StringComparer.OrdinalIgnoreCase);
        Assert.Empty(found);
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        var broken = new List<string>();
        foreach (string path in Repository.Files("*.md"))
        {
            foreach (System.Text.RegularExpressions.Match link in
                System.Text.RegularExpressions.Regex.Matches(
                    File.ReadAllText(path), @"\]\((?<target>[^)#\s]+)(#[^)]*)?\)", System.Text.RegularExpressions.RegexOptions.ExplicitCapture,
                    TimeSpan.FromSeconds(5)))
            {
                string target = link.Groups["target"].Value;
                if (!target.Contains("://", StringComparison.Ordinal)
                    && !Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, target)))
                {
                    broken.Add($"{Path.GetRelativePath(Repository.Root, path)} -> {target}");
                }
            }
        }

        Assert.Empty(broken);
    }

    /// <summary>The summary stands right above the attribute: "Raft 5.4.1" is the paper, "dissertation 9.6" Ongaro's.</summary>
    [Fact]
    public void Every_paper_test_names_the_section_that_it_proves()
    {
        var nameless = new List<string>();
        int tests = 0;
        foreach (string path in Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests", "RaftMq.Raft.Tests", "Paper"), "*.cs"))
        {
            string[] lines = File.ReadAllLines(path);
            for (int line = 0; line < lines.Length; line++)
            {
                if (lines[line].Trim() is not ("[Fact]" or "[Theory]"))
                {
                    continue;
                }

                tests++;
                string above = string.Join(' ', lines[..line].Reverse().TakeWhile(text => text.TrimStart().StartsWith("///", StringComparison.Ordinal)).Reverse());
                if (!System.Text.RegularExpressions.Regex.IsMatch(
                    above, @"\b(Raft|[Dd]issertation) [0-9]", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
                {
                    nameless.Add($"{Path.GetFileName(path)}:{line + 1}");
                }
            }
        }

        Assert.True(tests > 50, $"only {tests} tests were found");
        Assert.Empty(nameless);
    }

    [Fact]
    public void No_code_waits_for_an_issue_that_it_does_not_name()
    {
        IEnumerable<string> found = Repository.Files("*.cs")
            .Where(p => Path.GetFileName(p) != "FileTests.cs")
            .SelectMany(p => File.ReadLines(p).Select((line, i) => (p, i, line)))
            .Where(l => System.Text.RegularExpressions.Regex.IsMatch(
                l.line, @"//.*\b(TODO|FIXME|HACK)\b(?!.*#\d)", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
            .Select(l => $"{Path.GetRelativePath(Repository.Root, l.p)}:{l.i + 1}");
        Assert.Empty(found);
    }
}
