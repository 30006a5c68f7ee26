using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.SetUp;

/// <summary>
/// A copy of tests/set-up.sh with nothing on its path but what is put there: the programs that install are scripts which write down how
/// they were called. What a real machine has is not touched.
/// </summary>
internal sealed class BareMachine : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("raftmq-set-up-").FullName;

    public BareMachine()
    {
        Directory.CreateDirectory(Programs);
        Directory.CreateDirectory(Clients);
        Copy("tests/set-up.sh");
        Copy("tests/RaftMq.Conformance/clients/package.json");
        Copy("tests/RaftMq.Conformance/clients/versions.txt");
        foreach (string program in (string[])["bash", "cat", "dirname", "grep", "mkdir", "ln"])
        {
            File.CreateSymbolicLink(Path.Combine(Programs, program), Find(program));
        }

        Script("dotnet", "");
        Script("sleep", "");
        Script("apt-cache", "for ((n = 0; n < 10000; n++)); do echo 'Package: p'; done");
        Script("dpkg-query", $$"""if [ "$3" = '${Status}' ]; then echo "install ok installed"; else cat "{{folder}}/$4"; fi""");
        Script(
            "apt-get",
            $$"""
              if [ -e "{{folder}}/broken-$(grep -c . '{{CallsFile}}')" ]; then exit 100; fi
              if [[ " $* " == *" nodejs "* ]]; then ln -s '{{Find("node")}}' '{{Programs}}/node'; fi
              if [[ " $* " == *" npm "* ]]; then ln -s '{{Npm}}' '{{Programs}}/npm'; fi
              """);
        Script(
            Npm,
            """
            for name in kafkajs lz4js snappyjs; do
              mkdir -p node_modules/$name
              version=$(grep -o "\"$name\": \"[0-9.]*\"" package.json)
              echo "{ \"version\": ${version##* } }" >node_modules/$name/package.json
            done
            """);
        foreach ((string package, string version) in Tested)
        {
            SetVersion(package, version + ".9-1");
        }
    }

    /// <summary>Debian packages and the versions that the tests were passed with.</summary>
    public static IReadOnlyDictionary<string, string> Tested { get; } =
        File.ReadLines(Path.Combine(Repository.Root, "tests", "RaftMq.Conformance", "clients", "versions.txt"))
            .Where(line => !line.StartsWith('#'))
            .ToDictionary(line => line.Split(' ')[0], line => line.Split(' ')[1], StringComparer.Ordinal);

    /// <summary>How the programs that install were called, in order.</summary>
    public IReadOnlyList<string> Calls => File.Exists(CallsFile) ? File.ReadAllLines(CallsFile) : [];

    private string Programs => Path.Combine(folder, "programs");

    private string Clients => Path.Combine(folder, "tests", "RaftMq.Conformance", "clients");

    private string CallsFile => Path.Combine(folder, "calls");

    private string Npm => Path.Combine(folder, "npm");

    /// <summary>Puts Node.js and npm where they are found.</summary>
    public void AddNode()
    {
        File.CreateSymbolicLink(Path.Combine(Programs, "node"), Find("node"));
        File.CreateSymbolicLink(Path.Combine(Programs, "npm"), Npm);
    }

    public void SetVersion(string package, string version) => File.WriteAllText(Path.Combine(folder, package), version);

    public void SetNodeModule(string name, string version)
    {
        string module = Directory.CreateDirectory(Path.Combine(Clients, "node_modules", name)).FullName;
        File.WriteAllText(Path.Combine(module, "package.json"), $$"""{ "version": "{{version}}" }""");
    }

    /// <summary>The calls with these numbers, from 1, fail as where there is no network.</summary>
    public void BreakCalls(params int[] numbers)
    {
        foreach (int number in numbers)
        {
            File.WriteAllText(Path.Combine(folder, $"broken-{number}"), "");
        }
    }

    /// <returns>The exit code of set-up.sh and all that it said.</returns>
    public async Task<(int Code, string Said)> SetUpAsync()
    {
        await using ChildProcess process = await ChildProcess.StartAsync(
            "/usr/bin/env", ["-i", $"PATH={Programs}", "bash", Path.Combine(folder, "tests", "set-up.sh")]);
        int code = await process.WaitForExitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        return (code, string.Join('\n', process.Output));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Find(string program) =>
        ((string[])["/usr/bin", "/bin", "/usr/local/bin", .. Environment.GetEnvironmentVariable("PATH")!.Split(':')])
            .Select(place => Path.Combine(place, program)).First(File.Exists);

    private void Copy(string path)
    {
        string to = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(Path.Combine(Repository.Root, path), to);
    }

    private void Script(string name, string body)
    {
        string path = Path.Combine(Programs, name);
        File.WriteAllText(path, $"#!{Find("bash")}\n[[ $0 == */apt-get || $0 == */npm ]] && echo \"${{0##*/}} $*\" >>'{CallsFile}'\n{body}\nexit $?\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
