using System.Text.Json;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance;

/// <summary>
/// A case of one of the client scripts in the folder clients: a process of its own that takes its arguments as JSON and ends with a line
/// "result {…}".
/// </summary>
internal sealed class ClientScript : IAsyncDisposable
{
    private const string ResultPrefix = "result ";

    private readonly ChildProcess process;

    private ClientScript(ChildProcess process) => this.process = process;

    /// <summary>Debian's own interpreter, which has Debian's client libraries; another python3 may be first on the path.</summary>
    private const string Python = "/usr/bin/python3";

    private static string Folder => Path.Combine(Repository.Root, "tests", "RaftMq.Conformance", "clients");

    public static Task<ClientScript> LibrdkafkaAsync(string name, object arguments) => StartAsync(Python, "confluent.py", name, arguments);

    public static Task<ClientScript> KafkaPythonAsync(string name, object arguments) => StartAsync(Python, "kafkapython.py", name, arguments);

    public static Task<ClientScript> KafkaJsAsync(string name, object arguments) => StartAsync("node", "kafkajs.js", name, arguments);

    /// <summary>Starts the case and waits for its result.</summary>
    public static async Task<JsonElement> ResultOfAsync(Task<ClientScript> starting, int seconds = 90)
    {
        await using ClientScript script = await starting;
        return await script.ResultAsync(seconds);
    }

    /// <summary>Waits for a line that says how far the case is.</summary>
    public Task WaitForLineAsync(string prefix, int seconds = 60) =>
        process.WaitForLineAsync(prefix, TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);

    /// <summary>Waits for the next line with a prefix that is written after now.</summary>
    public Task WaitForNextLineAsync(string prefix, int seconds = 60) => process.WaitForLineAsync(
        prefix, TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken, from: process.Output.Count);

    public async Task<JsonElement> ResultAsync(int seconds = 90)
    {
        string line = await process.WaitForLineAsync(
            ResultPrefix, TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        return JsonSerializer.Deserialize<JsonElement>(line[ResultPrefix.Length..]);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static async Task<ClientScript> StartAsync(string program, string script, string name, object arguments) =>
        new(await ChildProcess.StartAsync(
            program, [Path.Combine(Folder, script), name, JsonSerializer.Serialize(arguments)],
            new Dictionary<string, string> { ["PYTHONDONTWRITEBYTECODE"] = "1" }));
}
