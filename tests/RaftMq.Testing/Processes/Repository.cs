namespace RaftMq.Testing.Processes;

/// <summary>Where the source tree lies that the tests were built from.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The node's program, in Release: what users run.</summary>
    public static string ServerProgram => Built("RaftMq.Server", "RaftMq.Server");

    /// <summary>The command line's program, in Release: <c>raftmq</c>.</summary>
    public static string CommandProgram => Built("RaftMq.Cli", "raftmq");

    private static string Built(string project, string name)
    {
        string program = Path.Combine(Root, "src", project, "bin", "Release", "net10.0", name);
        return File.Exists(program)
            ? program
            : throw new FileNotFoundException($"{program} is not there: build src/{project} with -c Release first.");
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RaftMq.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"RaftMq.sln is in no folder above {AppContext.BaseDirectory}.");
    }
}
