using System.Globalization;
using RaftMq.Testing.Processes;

namespace RaftMq.Cli.Tests.LocalCluster;

/// <summary>What <c>raftmq up</c> says when the place is wrong: a full disk, another SDK, a server that does not build.</summary>
public sealed class UpPlaceTests : IAsyncLifetime
{
    private readonly InstalledCommand raftmq = new(withServer: false);
    private readonly string port = InstalledCommand.FreeBasePort().ToString(CultureInfo.InvariantCulture);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => raftmq.DisposeAsync();

    [Fact]
    public async Task A_disk_with_too_little_room_ends_with_12_and_says_how_much_is_needed()
    {
        string said = await OnTmpfsAsync("size=64m");
        Assert.Contains("MiB free; 3 nodes need 1536 MiB to start", said, StringComparison.Ordinal);
    }

    /// <summary>Not one more file fits: that is not the same as a folder in use.</summary>
    [Fact]
    public async Task A_disk_on_which_nothing_can_be_written_ends_with_12() =>
        Assert.Contains("can't be written: No space left on device", await OnTmpfsAsync("size=64m,nr_inodes=1"), StringComparison.Ordinal);

    /// <summary>Red before: that the system does not make a folder there.</summary>
    [Theory]
    [InlineData("size=64m,nr_inodes=1", "No space left on device")]
    [InlineData("ro", "Read-only file system")]
    public async Task A_folder_for_which_the_disk_is_full_or_read_only_says_so(string options, string why)
    {
        string said = await OnTmpfsAsync(options, "/data");
        Assert.StartsWith($"The data folder {raftmq.Data}/data can't be made: {why}", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkout_that_wants_another_sdk_ends_with_13()
    {
        await MakeCheckoutAsync("<Project />", """{ "sdk": { "version": "99.0.100", "rollForward": "disable" } }""");
        string said = await RefusalAsync(ExitCodes.WrongSdk);
        Assert.StartsWith("RaftMq is built with the .NET 10 SDK: ", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_build_ends_with_14_and_shows_the_error()
    {
        await MakeCheckoutAsync("<Project><Nonsense", "{ }");
        (int code, IReadOnlyList<string> said) = await raftmq.RunAsync("up", "--json", "--nodes", "1", "--data", raftmq.Data, "--base-port", port);
        Assert.Equal(ExitCodes.NoServer, code);
        Assert.StartsWith("The server does not build", said[0], StringComparison.Ordinal);
        Assert.Contains("MSB4025", said[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_without_server_or_checkout_ends_with_14() =>
        Assert.Contains("no checkout above it", await RefusalAsync(ExitCodes.NoServer), StringComparison.Ordinal);

    private Task<string> RefusalAsync(int code) => raftmq.RefusalAsync(code, "--json", "--nodes", "1", "--data", raftmq.Data, "--base-port", port);

    private async Task MakeCheckoutAsync(string project, string sdk)
    {
        string source = Directory.CreateDirectory(Path.Combine(raftmq.Folder, "src", "RaftMq.Server")).FullName;
        await File.WriteAllTextAsync(Path.Combine(source, "RaftMq.Server.csproj"), project, Cancellation);
        await File.WriteAllTextAsync(Path.Combine(raftmq.Folder, "global.json"), sdk, Cancellation);
    }

    /// <summary>In a mount namespace of its own, so that the small file system ends with the command.</summary>
    private async Task<string> OnTmpfsAsync(string options, string inner = "")
    {
        Directory.CreateDirectory(raftmq.Data);
        string script = $"mount -t tmpfs -o {options} raftmq-test '{raftmq.Data}' && exec '{InstalledCommand.Dotnet}' '{raftmq.Program}' "
            + $"up --data '{raftmq.Data}{inner}' --base-port {port}";
        string[] root = Environment.UserName == "root" ? [] : ["--map-root-user"];
        await using ChildProcess up = await ChildProcess.StartAsync("unshare", ["--mount", .. root, "/bin/sh", "-c", script]);
        Assert.Equal(ExitCodes.NoRoom, await up.WaitForExitAsync(TimeSpan.FromSeconds(60), Cancellation));
        return Assert.Single(up.Output);
    }
}
