using System.Runtime.CompilerServices;

namespace RaftMq.Raft.Tests.Scripts;

/// <summary>Each .txt beside this file is a story: commands with their trace. RAFTMQ_GOLDEN=rewrite writes the traces anew.</summary>
public sealed class ScriptTests
{
    public static TheoryData<string> Scripts() =>
        [.. Directory.GetFiles(Folder(), "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    [Fact]
    public void There_are_the_scripts_that_the_plan_names() => Assert.True(Scripts().Count >= 12);

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Trace_is_as_written(string script)
    {
        string path = Path.Combine(Folder(), script + ".txt");
        string[] lines = File.ReadAllLines(path);
        string actual = Stage.Run(lines.Where(l => !l.StartsWith("  ", StringComparison.Ordinal)));
        if (Environment.GetEnvironmentVariable("RAFTMQ_GOLDEN") == "rewrite")
        {
            File.WriteAllText(path, actual);
            return;
        }

        Assert.Equal(string.Join('\n', lines) + "\n", actual);
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
