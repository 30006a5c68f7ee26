namespace RaftMq.Testing.Processes;

/// <summary>Where the source tree lies that the tests were built from.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The node's program, in Release: what users run.</summary>
    public static string ServerProgram
    {
        get
        {
            string program = Path.Combine(Root, "src", "RaftMq.Server", "bin", "Release", "net10.0", "RaftMq.Server");
            return File.Exists(program)
                ? program
                : throw new FileNotFoundException($"{program} is not there: build src/RaftMq.Server with -c Release first.");
        }
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
