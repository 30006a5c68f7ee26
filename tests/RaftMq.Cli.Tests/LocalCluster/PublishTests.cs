using System.Globalization;
using RaftMq.Testing.Processes;

namespace RaftMq.Cli.Tests.LocalCluster;

/// <summary>The command of docs/cli.md that makes one executable, on a copy of the source so that the checkout's own build stays as it is.</summary>
public sealed class PublishTests
{
    private static readonly TimeSpan BuildTime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact(Explicit = true)]
    public async Task Publishing_makes_one_executable_that_starts_a_cluster_and_speaks_to_it()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string folder = Directory.CreateTempSubdirectory("raftmq-publish-").FullName;
        try
        {
            string copy = $"cd '{Repository.Root}' && git ls-files -z -co --exclude-standard | tar --null -T - -cf - | tar -xf - -C '{folder}/source'";
            string publish = $"cd '{folder}/source' && '{InstalledCommand.Dotnet}' publish src/RaftMq.Cli -c Release -v quiet -o '{folder}/X'";
            await using (ChildProcess make = await ChildProcess.StartAsync("bash", ["-c", $"mkdir '{folder}/source' && {copy} && {publish}"]))
            {
                Assert.True(await make.WaitForExitAsync(BuildTime, cancellation) == 0, make.Tail());
            }

            Assert.Equal(["raftmq", "server"], Directory.EnumerateFileSystemEntries(Path.Combine(folder, "X")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            Dictionary<string, string> environment = new() { ["DOTNET_ROOT"] = Path.GetDirectoryName(InstalledCommand.Dotnet)! };
            string raftmq = Path.Combine(folder, "X", "raftmq");
            int port = InstalledCommand.FreeBasePort();
            string[] up = ["up", "--nodes", "1", "--data", Path.Combine(folder, "data"), "--base-port", port.ToString(CultureInfo.InvariantCulture)];
            await using ChildProcess cluster = await ChildProcess.StartAsync(raftmq, up, environment);
            await cluster.WaitForLineAsync("ready; clients connect to", Patience, cancellation);
            string[] create = ["topic", "create", "t", "--bootstrap", string.Create(CultureInfo.InvariantCulture, $"localhost:{port}")];
            await using ChildProcess command = await ChildProcess.StartAsync(raftmq, create, environment);
            Assert.True(await command.WaitForExitAsync(Patience, cancellation) == 0, command.Tail());
            cluster.Terminate();
            Assert.Equal(0, await cluster.WaitForExitAsync(Patience, cancellation));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
