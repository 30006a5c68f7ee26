namespace RaftMq.Server.Tests;

/// <summary>Tables in docs/ that are kept between two marks: <c>&lt;!-- table: NAME --&gt;</c> and <c>&lt;!-- end --&gt;</c>, two heading lines first.</summary>
internal static class DocumentTable
{
    public static void Check(string page, string name, IEnumerable<string> rows)
    {
        string path = Path.Combine(Root(), "docs", page);
        List<string> lines = [.. File.ReadAllLines(path)];
        (int start, int end) = Find(lines, name);
        string[] expected = [.. rows];
        if (Environment.GetEnvironmentVariable("RAFTMQ_GOLDEN") == "rewrite")
        {
            lines.RemoveRange(start, end - start);
            lines.InsertRange(start, expected);
            File.WriteAllLines(path, lines);
            return;
        }

        Assert.Equal(expected, lines[start..end]);
    }

    /// <summary>The rows begin so; what follows in them is written by hand.</summary>
    public static void CheckStarts(string page, string name, IEnumerable<string> starts)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Root(), "docs", page));
        (int start, int end) = Find([.. lines], name);
        string[] expected = [.. starts];
        Assert.Equal(expected.Length, end - start);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.StartsWith(expected[i], lines[start + i]);
        }
    }

    private static (int Start, int End) Find(List<string> lines, string name)
    {
        int mark = lines.IndexOf($"<!-- table: {name} -->");
        Assert.True(mark >= 0, $"The page has no mark for the table '{name}'.");
        int end = lines.IndexOf("<!-- end -->", mark);
        Assert.True(end > mark + 2, $"The table '{name}' has no end mark.");
        return (mark + 3, end);
    }

    public static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "RaftMq.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }
}
