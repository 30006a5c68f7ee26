using System.Text.Json;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.SetUp;

/// <summary>tests/set-up.sh installs all that is missing, three times tried, and only clients of the versions that were tested pass.</summary>
public sealed class SetUpTests : IDisposable
{
    private readonly BareMachine machine = new();

    public void Dispose() => machine.Dispose();

    public static TheoryData<string> Packages { get; } = [.. BareMachine.Tested.Keys];

    [Fact]
    public async Task Node_and_npm_are_installed_where_they_are_missing()
    {
        (int code, string said) = await machine.SetUpAsync();
        Assert.True(code == 0, said);
        Assert.Equal(["apt-get -qq update", "apt-get -qq -y --no-install-recommends install nodejs npm", "npm ci --silent --no-audit --no-fund"], machine.Calls);
    }

    [Fact]
    public async Task A_download_is_tried_three_times()
    {
        machine.BreakCalls(1, 3, 4);
        (int code, string said) = await machine.SetUpAsync();
        Assert.True(code == 0, said);
        Assert.Equal(3, machine.Calls.Count(call => call.Contains("install", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_download_that_fails_three_times_is_an_error()
    {
        machine.BreakCalls(1, 2, 3);
        (int code, string said) = await machine.SetUpAsync();
        Assert.Equal(1, code);
        Assert.Contains("set-up failed, three times: apt-get -qq update", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_there_is_left_and_its_versions_are_said()
    {
        machine.AddNode();
        PinnedModules(kafkajs: "2.2.4");
        (int code, string said) = await machine.SetUpAsync();
        Assert.True(code == 0, said);
        Assert.Empty(machine.Calls);
        Assert.Equal(
            $"clients: {string.Join(", ", BareMachine.Tested.Select(one => $"{one.Key} {one.Value}.9-1"))}, kafkajs 2.2.4, lz4js 0.2.0, snappyjs 0.7.0", said);
    }

    [Fact]
    public async Task A_module_of_another_version_is_replaced()
    {
        machine.AddNode();
        PinnedModules(kafkajs: "2.2.3");
        (int code, string said) = await machine.SetUpAsync();
        Assert.True(code == 0, said);
        Assert.Equal(["npm ci --silent --no-audit --no-fund"], machine.Calls);
    }

    /// <summary>A security update of the same version passes (see above, .9-1); the next version does not.</summary>
    [Theory]
    [MemberData(nameof(Packages))]
    public async Task A_client_of_another_version_is_an_error_that_says_what_to_do(string package)
    {
        machine.AddNode();
        machine.SetVersion(package, BareMachine.Tested[package] + "0.0-1");
        (int code, string said) = await machine.SetUpAsync();
        Assert.Equal(1, code);
        Assert.StartsWith($"{package} is {BareMachine.Tested[package]}0.0-1, and the tests were passed with {BareMachine.Tested[package]}: write ", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_names_the_versions_that_are_tested()
    {
        string page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "kafka.md"), TestContext.Current.CancellationToken);
        JsonElement npm = JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "tests", "RaftMq.Conformance", "clients", "package.json"), TestContext.Current.CancellationToken));
        foreach ((string package, string version) in BareMachine.Tested)
        {
            Assert.Contains($"`{package}` {version}", page, StringComparison.Ordinal);
        }

        Assert.Contains($"`kafkajs` {npm.GetProperty("dependencies").GetProperty("kafkajs").GetString()}", page, StringComparison.Ordinal);
    }

    private void PinnedModules(string kafkajs)
    {
        machine.SetNodeModule("kafkajs", kafkajs);
        machine.SetNodeModule("lz4js", "0.2.0");
        machine.SetNodeModule("snappyjs", "0.7.0");
    }
}
